"""What people and programs touch: the command line, the service, the dashboard, the report, drawings."""

if __name__ == "app":  # from a checkout's folder: a second copy, whose classes are not those of fundclock
    raise ImportError("import this package as fundclock.app: `from fundclock import draw` has the public names")
