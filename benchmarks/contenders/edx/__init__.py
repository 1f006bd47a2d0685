"""(c) The shape of edx-platform, as an application of Django."""
