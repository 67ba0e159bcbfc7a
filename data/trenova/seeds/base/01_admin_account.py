"""The default organization and its administrator, who never gets a password that others know."""

VERSION = "1.0.0"
DEPENDS = ["base/00_us_states"]

from tenancy import (
    ADMIN,
    ADMIN_VARIABLE,
    DEFAULT_ADMIN_PASSWORD,
    LOCKED,
    create_organization,
    create_user,
    fixed_id,
    initial_admin_password,
)


def run(seed):
    """Make what is missing. An account that is in use stays as its owner left it."""
    organization = seed.lookup("organizations", is_default=True)
    if organization is None:
        organization = create_organization(
            seed,
            scac="TRNV",
            name="Trenova Transportation",
            business_unit=seed.insert_missing(
                "business_units",
                {"id": fixed_id("business unit"), "code": "MAIN", "name": "Trenova"},
                key=["code"],
            ),
            dot_number="1000001",
            is_default=True,
        )
    password = initial_admin_password(seed)
    admin = create_user(
        seed,
        email=ADMIN,
        name="Administrator",
        organization=organization,
        password=password,
        must_change_password=True,
    )
    if password and admin["password_hash"] == LOCKED:
        unlocked = {"password_hash": seed.password_hash(password), "status": "active"}
        seed.upsert("users", {"email": ADMIN, **unlocked}, key=["email"])


def check(seed):
    """Tell what is wrong with the administrator's password."""
    admin = seed.lookup("users", email=ADMIN)
    if admin is None:
        return
    if admin["password_hash"] == LOCKED:
        yield (
            f"{ADMIN} is locked; export {ADMIN_VARIABLE} and run `dbcycle db seed --force`, "
            "or give the account a password in the application"
        )
    elif seed.is_password(DEFAULT_ADMIN_PASSWORD, admin["password_hash"]):
        yield f"{ADMIN} still has the default password: change it"
    elif admin["must_change_password"]:
        yield f"{ADMIN} still has the initial password: change it"
