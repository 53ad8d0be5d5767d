"""The service: runs, forks, views and comparisons over HTTP. It never computes in the event loop."""
