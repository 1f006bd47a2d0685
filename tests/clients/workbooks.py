"""What schemathesis is to know beforehand: a workbook is bytes."""

import schemathesis

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
schemathesis.serializer.alias(WORKBOOK, "application/octet-stream")
