"""Metrics for Prometheus and traces for OpenTelemetry. Imported by processes that have them on."""
