"""What can be allowed: an action on a resource. 1.1.0 says `shipments` where 1.0.0 said `loads`."""

VERSION = "1.1.0"
DEPENDS = []

EVERY = ("read", "create", "update", "delete")
RESOURCES = {
    "audit_log": ("read",),
    "customers": EVERY,
    "equipment": EVERY,
    "invoices": (*EVERY, "approve"),
    "locations": EVERY,
    "organizations": ("read", "update", "manage"),
    "roles": (*EVERY, "manage"),
    "shipments": (*EVERY, "approve"),
    "users": (*EVERY, "manage"),
    "workers": EVERY,
}


def run(seed):
    """Make every permission, or bring its description up to date."""
    for resource, actions in RESOURCES.items():
        for action in actions:
            words = resource.replace("_", " ")
            seed.upsert(
                "permissions",
                {"resource": resource, "action": action, "description": f"May {action} {words}"},
                key=["resource", "action"],
            )


def upgrade(seed, former):
    """Rename the permissions on loads, so that the roles that hold them keep them."""
    if former == "1.0.0":
        table = seed.table("permissions")
        renamed = table.update().where(table.c.resource == "loads").values(resource="shipments")
        seed.connection.execute(renamed)
    run(seed)
