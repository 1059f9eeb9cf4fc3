"""Model what the routes of provisioning and tables take and answer."""
