"""One user for each role, in the test carrier; the password of all is `testtest`."""

VERSION = "1.0.0"
DEPENDS = ["base/10_roles", "development/00_test_organizations"]

from tenancy import assign_role, create_user

USERS = {
    "dispatcher": "Dispatcher",
    "driver.manager": "Driver Manager",
    "billing": "Billing Clerk",
    "auditor": "Auditor",
}


def run(seed):
    """Make the users; each may see the broker's side too, as an auditor."""
    carrier = seed.find("organizations", scac="TSTC")
    broker = seed.find("organizations", scac="TSTB")
    for word, role in USERS.items():
        account = create_user(
            seed, email=f"{word}@testfreight.example", name=f"Test {role}", organization=carrier
        )
        assign_role(seed, account, role)
        assign_role(seed, account, "Auditor", organization=broker)
