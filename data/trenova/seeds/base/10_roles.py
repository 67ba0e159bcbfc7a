"""The roles that every organization has; the administrator holds the first."""

VERSION = "1.0.0"
DEPENDS = ["base/01_admin_account", "base/02_permissions"]

from tenancy import ADMIN, assign_role, create_role, user

READ = ["customers.read", "equipment.read", "locations.read", "shipments.read", "workers.read"]
ROLES = {
    "Dispatcher": (
        "Plans shipments and sends drivers",
        [*READ, "shipments.create", "shipments.update", "locations.create", "locations.update"],
    ),
    "Driver Manager": (
        "Looks after drivers, tractors and trailers",
        [*READ, "workers.create", "workers.update", "equipment.create", "equipment.update"],
    ),
    "Billing Clerk": (
        "Writes invoices",
        [*READ, "invoices.read", "invoices.create", "invoices.update", "customers.update"],
    ),
    "Auditor": ("Reads everything", [*READ, "invoices.read", "users.read", "audit_log.read"]),
}


def run(seed):
    """Make the roles with their permissions, and the administrator's assignment."""
    everything = seed.connection.execute(seed.table("permissions").select()).mappings()
    codes = sorted(row["code"] for row in everything)
    create_role(seed, "Administrator", "May do everything", codes)
    for name, (description, held) in ROLES.items():
        create_role(seed, name, description, held)
    assign_role(seed, user(seed, ADMIN), "Administrator")
