"""Where gunicorn begins: Django set up, its tables made."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.contenders.edx.settings")
application = get_wsgi_application()
import_module("benchmarks.contenders.edx.models").prepare()
