"""What people are told of their files: findings as data, and the Portuguese made of them."""
