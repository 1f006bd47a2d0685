"""The tables of the service as Django sees them, and those of Django's own in a schema beside."""

from datetime import timedelta

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group as Role
from django.contrib.auth.models import User as Account
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, models
from django.utils import timezone

from benchmarks.servers import DJANGO_SESSION


class Ours(models.Model):
    class Meta:
        abstract = True
        managed = False


class Course(Ours):
    key = models.TextField()
    is_locked = models.BooleanField()

    class Meta(Ours.Meta):
        db_table = "courses"


class Settings(Ours):
    course = models.OneToOneField(Course, models.DO_NOTHING, primary_key=True)
    is_cohorted = models.BooleanField()

    class Meta(Ours.Meta):
        db_table = "cohort_settings"


class User(Ours):
    username = models.TextField()
    email = models.TextField()
    family_name = models.TextField()
    given_name = models.TextField()
    student_number = models.TextField()

    class Meta(Ours.Meta):
        db_table = "users"


class Enrollment(Ours):
    pk = models.CompositePrimaryKey("course_id", "user_id")
    course = models.ForeignKey(Course, models.DO_NOTHING)
    user = models.ForeignKey(User, models.DO_NOTHING)
    state = models.TextField()

    class Meta(Ours.Meta):
        db_table = "enrollments"


class Partition(Ours):
    course = models.ForeignKey(Course, models.DO_NOTHING, related_name="partitions")
    kind = models.TextField()
    name = models.TextField()
    position = models.BigIntegerField()
    groups_editable = models.BooleanField()
    show_in_lists = models.BooleanField()
    show_rank_on_report = models.BooleanField()

    class Meta(Ours.Meta):
        db_table = "partitions"


class Group(Ours):
    course = models.ForeignKey(Course, models.DO_NOTHING)
    partition = models.ForeignKey(Partition, models.DO_NOTHING)
    name = models.TextField()
    position = models.BigIntegerField()
    capacity = models.IntegerField(null=True)
    timetable_id = models.TextField(null=True)
    assignment_type = models.TextField()
    content_partition_id = models.BigIntegerField(null=True)
    content_group_id = models.BigIntegerField(null=True)

    class Meta(Ours.Meta):
        db_table = "groups"


class Membership(Ours):
    pk = models.CompositePrimaryKey("course_id", "partition_id", "user_id")
    course = models.ForeignKey(Course, models.DO_NOTHING)
    partition = models.ForeignKey(Partition, models.DO_NOTHING)
    user = models.ForeignKey(User, models.DO_NOTHING)
    group = models.ForeignKey(Group, models.DO_NOTHING)
    previous_group_id = models.BigIntegerField(null=True)
    since = models.DateTimeField(default=timezone.now)

    class Meta(Ours.Meta):
        db_table = "memberships"


class Waiting(Ours):
    pk = models.CompositePrimaryKey("course_id", "id")
    course = models.ForeignKey(Course, models.DO_NOTHING)
    id = models.BigIntegerField()
    group = models.ForeignKey(Group, models.DO_NOTHING)
    email = models.TextField()

    class Meta(Ours.Meta):
        db_table = "preassignments"


def prepare() -> None:
    """Django's tables, a member of staff, and the session that the load is sent in."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS edx")
    call_command("migrate", verbosity=0)
    account, _ = Account.objects.get_or_create(username="staff", defaults={"password": "!"})
    account.groups.set([Role.objects.get_or_create(name="staff")[0]])
    data = {
        SESSION_KEY: str(account.pk),
        BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
        HASH_SESSION_KEY: account.get_session_auth_hash(),
    }
    expires = timezone.now() + timedelta(days=1)
    Session.objects.update_or_create(
        session_key=DJANGO_SESSION,
        defaults={"session_data": SessionStore().encode(data), "expire_date": expires},
    )
