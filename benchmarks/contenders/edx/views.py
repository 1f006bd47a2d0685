"""(c) The shape of edx-platform: Django, REST framework serializers, gunicorn.

Each request reads its session, its user and their roles. A cohort is asked for its content group,
its kind and its count one by one; whoever is added to a cohort is handled alone.
"""

import random
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.contenders.edx.models import (
    Course,
    Enrollment,
    Group,
    Membership,
    Partition,
    Settings,
    User,
    Waiting,
)

Json = dict[str, Any]
GROUP = "id course_id partition_id name position capacity timetable_id assignment_type"
PARTITION = "id course_id kind name position groups_editable show_in_lists show_rank_on_report"
MEMBER = "id username family_name given_name email student_number state"


class GroupSerializer(serializers.ModelSerializer):
    content_link = serializers.ReadOnlyField(default=None)

    class Meta:
        model = Group
        fields = (*GROUP.split(), "content_link")


class PartitionSerializer(serializers.ModelSerializer):
    groups = serializers.SerializerMethodField()

    class Meta:
        model = Partition
        fields = (*PARTITION.split(), "groups")

    def get_groups(self, partition: Partition) -> Any:
        return GroupSerializer(groups_of(partition), many=True).data


class MemberSerializer(serializers.ModelSerializer):
    state = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = MEMBER.split()

    def get_state(self, user: User) -> str | None:
        return self.context["states"].get(user.id)


class StaffView(APIView):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "staff" not in request.user.groups.values_list("name", flat=True):
            raise PermissionDenied


class PartitionView(StaffView):
    def get(self, _: Request, partition_id: int) -> Response:
        return Response(PartitionSerializer(get_object_or_404(Partition, id=partition_id)).data)


class PartitionsView(StaffView):
    def get(self, _: Request, course_id: int) -> Response:
        course = get_object_or_404(Course, id=course_id)
        return Response(PartitionSerializer(partitions_of(course), many=True).data)


class MembersView(StaffView):
    def get(self, request: Request, group_id: int) -> Response:
        group = get_object_or_404(Group, id=group_id)
        users = User.objects.filter(
            membership__course_id=group.course_id, membership__group_id=group_id
        ).order_by("id")
        pages = LimitOffsetPagination()
        page = pages.paginate_queryset(users, request) or []
        enrolled = Enrollment.objects.filter(course_id=group.course_id, user__in=page)
        states = dict(enrolled.values_list("user_id", "state"))
        shown = MemberSerializer(page, many=True, context={"states": states})
        return Response({"items": shown.data})


class UserGroupsView(StaffView):
    def get(self, _: Request, course_id: int, user_id: int) -> Response:
        course, user = get_object_or_404(Course, id=course_id), get_object_or_404(User, id=user_id)
        answer: list[Json] = []
        for partition in partitions_of(course):
            if membership := Membership.objects.filter(
                pk=(course.id, partition.id, user.id)
            ).first():
                shown = GroupSerializer(membership.group).data
                answer.append({"partition_name": partition.name, **shown})
        return Response(answer)


class MemberView(StaffView):
    def put(self, _: Request, group_id: int, user_id: int) -> Response:
        group, user = get_object_or_404(Group, id=group_id), get_object_or_404(User, id=user_id)
        if group.course.is_locked:
            raise PermissionDenied
        previous = assign(group, user)
        place = {"course_id": group.course_id, "partition_id": group.partition_id}
        old = previous.id if previous else None
        changed = previous != group
        answer = {"group_id": group_id, "user_id": user_id, "changed": changed}
        return Response({**place, **answer, "previous_group_id": old if changed else None})


class CohortsView(StaffView):
    def get(self, _: Request, key: str) -> Response:
        course = get_object_or_404(Course, key=key)
        get_object_or_404(Settings, course=course)
        partition = get_object_or_404(Partition, course=course, kind="cohorts")
        cohorts = groups_of(partition).order_by("name")
        assert cohorts.count()
        return Response([cohort_representation(cohort) for cohort in cohorts[:10]])


class CohortUsersView(StaffView):
    def post(self, request: Request, key: str, cohort_id: int) -> Response:
        course = get_object_or_404(Course, key=key)
        cohort = get_object_or_404(Group, course=course, id=cohort_id)
        lists: dict[str, list[Any]] = {"added": [], "changed": [], "present": [], "unknown": []}
        for name in request.data["users"]:
            user = User.objects.filter(username=name).first()
            if user is None:
                lists["unknown"].append(name)
                continue
            previous = assign(cohort, user)
            person = {"username": user.username, "email": user.email}
            if previous == cohort:
                lists["present"].append(name)
            elif previous is None:
                lists["added"].append(person)
            else:
                lists["changed"].append({**person, "previous_cohort": previous.name})
        return Response({"success": True, **lists, "preassigned": [], "invalid": []})


class ArrivalView(StaffView):
    def post(self, request: Request, course_id: int) -> Response:
        """``get_cohort`` of edx-platform: the one they have, the one that waits, or any."""
        course = get_object_or_404(Course, id=course_id)
        user = get_object_or_404(User, id=request.data["user_id"])
        if not get_object_or_404(Settings, course=course).is_cohorted:
            return Response({"group_id": None, "assigned": False})
        partition = get_object_or_404(Partition, course=course, kind="cohorts")
        if found := Membership.objects.filter(pk=(course.id, partition.id, user.id)).first():
            return Response({"group_id": found.group.id, "assigned": False})
        waiting = Waiting.objects.filter(course=course, email=user.email).first()
        chosen = waiting or random.choice(groups_of(partition).filter(assignment_type="random"))
        assign(chosen, user)
        return Response({"group_id": chosen.id, "assigned": True})


class AssignmentsView(StaffView):
    def post(self, request: Request, partition_id: int) -> Response:
        get_object_or_404(Partition, id=partition_id)
        rows: list[Json] = []
        for line, row in enumerate(request.data["rows"], start=1):
            group = get_object_or_404(Group, id=row["group_id"])
            previous = assign(group, get_object_or_404(User, id=row["user_id"]))
            result = "assigned" if previous is None else "moved"
            old = previous.id if previous else None
            result = "unchanged" if previous == group else result
            rows.append({"line": line, "result": result, **row, "previous_group_id": old})
        return Response({"written": True, "rows": rows})


def partitions_of(course: Course) -> QuerySet[Partition]:
    return course.partitions.exclude(kind="default").order_by("position")


def groups_of(partition: Partition) -> QuerySet[Group]:
    """By course, too: that is how the indexes of these tables begin."""
    within = Group.objects.filter(course_id=partition.course_id, partition_id=partition.id)
    return within.order_by("position", "name")


def cohort_representation(cohort: Group) -> Json:
    own = Group.objects.filter(course_id=cohort.course_id, id=cohort.id)
    link = own.values_list("content_partition_id", "content_group_id").first() or (None, None)
    members = Membership.objects.filter(course_id=cohort.course_id, group_id=cohort.id)
    enrolled = {
        "user__enrollment__course_id": cohort.course_id,
        "user__enrollment__state": "active",
    }
    return {
        "name": cohort.name,
        "id": cohort.id,
        "user_count": members.filter(**enrolled).count(),
        "assignment_type": own.values_list("assignment_type", flat=True).get(),
        "user_partition_id": link[0],
        "group_id": link[1],
    }


@transaction.atomic
def assign(group: Group, user: User) -> Group | None:
    """``CohortMembership.assign``: the group they came from."""
    place = (group.course_id, group.partition_id, user.id)
    with transaction.atomic():
        held = Membership.objects.select_for_update().filter(pk=place).first()
        if held is None:
            if group.partition.kind != "cohorts":
                get_object_or_404(Enrollment, course_id=group.course_id, user=user)
            Membership.objects.create(
                course_id=place[0], partition_id=place[1], user=user, group=group
            )
            return None
    previous = held.group
    if previous != group:
        with transaction.atomic():
            saved = Membership.objects.select_for_update().get(pk=place)
            get_object_or_404(Enrollment, course_id=group.course_id, user=user)
            Membership.objects.filter(pk=place).update(
                group=group, previous_group_id=saved.group_id, since=timezone.now()
            )
    return previous


COHORTS = "api/cohorts/v1/courses/<str:key>/cohorts/"
urlpatterns = [
    path("v1/partitions/<int:partition_id>", PartitionView.as_view()),
    path("v1/partitions/<int:partition_id>/assignments", AssignmentsView.as_view()),
    path("v1/courses/<int:course_id>/partitions", PartitionsView.as_view()),
    path("v1/courses/<int:course_id>/cohort-assignments", ArrivalView.as_view()),
    path("v1/courses/<int:course_id>/users/<int:user_id>/groups", UserGroupsView.as_view()),
    path("v1/groups/<int:group_id>/members", MembersView.as_view()),
    path("v1/groups/<int:group_id>/members/<int:user_id>", MemberView.as_view()),
    path(COHORTS, CohortsView.as_view()),
    path(COHORTS + "<int:cohort_id>/users/", CohortUsersView.as_view()),
]
