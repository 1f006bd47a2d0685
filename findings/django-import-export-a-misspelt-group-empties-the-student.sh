#!/usr/bin/env bash
# Seen with django-import-export 4.4.3, Django 5.2.19.
# Guess: a group in the file that does not exist is an error of its line, for a column with one group and for one with several.
# Seen:  one group (ForeignKeyWidget) is: "matching query does not exist". Several (ManyToManyWidget) are looked up by one filter, and
#        what is not found is left out: "TD1,TD 2" puts the student into TD1 alone, "TD 1" takes them out of every group. The line
#        counts as an update, without an error.
# Here:  a misspelt group is the most common fault of such files. A Django application that takes our exports back in by this
#        package empties students out of their groups; it has to compare the count of what it asked for and found.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check django-import-export==4.4.3 Django==5.2.19

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import django
from django.conf import settings

memory = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
settings.configure(DATABASES=memory, INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "import_export"])
django.setup()
import tablib
from django.core.management import call_command
from django.contrib.auth.models import Group, User
from import_export import fields, resources, widgets

class Students(resources.ModelResource):
    groups = fields.Field("groups", "groups", widgets.ManyToManyWidget(Group, field="name", separator=","))

    class Meta:
        model = User
        fields = import_id_fields = ("username",)
        fields += ("groups",)

call_command("migrate", verbosity=0)
Group.objects.create(name="TD1")
Group.objects.create(name="TD2")
seen = {}
for given in ("TD1,TD2", "TD1,TD 2", "TD 1"):
    table = tablib.Dataset(("ana", given), headers=("username", "groups"))
    result = Students().import_data(table)
    assert not result.has_errors() and not result.has_validation_errors()
    left = sorted(group.name for group in User.objects.get(username="ana").groups.all())
    seen[given] = (result.rows[0].import_type, left)
assert seen == {"TD1,TD2": ("new", ["TD1", "TD2"]), "TD1,TD 2": ("update", ["TD1"]), "TD 1": ("update", [])}, seen
try:
    widgets.ForeignKeyWidget(Group, field="name").clean("TD 1")
except Group.DoesNotExist as error:
    print(f"ok: {seen}; a single one: {error}")
else:
    raise AssertionError("a single group that does not exist was taken")
EOF
