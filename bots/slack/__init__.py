"""Slack: the only package that knows its SDK, its payloads and its limits."""
