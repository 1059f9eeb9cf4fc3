"""What a process needs, made once each: its settings, clients, stores, and the companies' databases."""
