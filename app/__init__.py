"""What people and programs touch: the command line, the service, the dashboard, the report, drawings."""
