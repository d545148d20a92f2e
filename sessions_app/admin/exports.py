"""What can be taken out of the data management as a file."""

from typing import Any

from import_export import fields, resources
from import_export.formats.base_formats import CSV

from sessions_app.csv_files import guarded
from sessions_app.models import Student

CSV_ALONE = (CSV,)


class StudentResource(resources.ModelResource):
    """Students as a class list: the header is the one that an import understands. No cell is a formula."""

    classes = fields.Field(column_name="classes")

    class Meta:
        model = Student
        fields = (
            "label", "name", "grade", "age", "external_id", "richmond_resident", "pseudonym", "depth_preference",
            "learning_style", "prior_knowledge_topics", "classes",
        )  # fmt: skip

    def filter_export(self, queryset: Any, **_options: Any) -> Any:
        return queryset.prefetch_related("memberships__school_class")

    def dehydrate_classes(self, student: Student) -> str:
        return ", ".join(sorted(place.school_class.name for place in student.memberships.all()))

    def export_field(self, field: Any, instance: Student, **options: Any) -> Any:
        return guarded(super().export_field(field, instance, **options))
