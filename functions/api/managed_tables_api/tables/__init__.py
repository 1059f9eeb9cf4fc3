"""What the routes of provisioning and tables take and give."""
