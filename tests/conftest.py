"""What every test has: the fixtures by kind of outside world."""

pytest_plugins = [
    "tests.fixtures.logs",
    "tests.fixtures.databases",
    "tests.fixtures.servers",
    "tests.fixtures.models",
    "tests.fixtures.core",
    "tests.fixtures.delivery",
    "tests.fixtures.console",
    "tests.fixtures.slack",
    "tests.fixtures.slack_process",
    "tests.fixtures.discord",
    "tests.fixtures.discord_process",
    "tests.fixtures.stages",
]
