"""Organizations, users and roles as every seed makes them, and what seeds look up again and again.

Each function takes the seed's context first. Lookups go through it, so that the answers are
remembered for the seeds after.
"""

import uuid

from dbcycle_assets.errors import SeedError

ADMIN = "admin@trenova.example"
ADMIN_VARIABLE = "TRENOVA_ADMIN_PASSWORD"
DEFAULT_ADMIN_PASSWORD = "trenova-admin"
"""The administrator's in development and test, where everybody may know it; nowhere else."""

TEST_PASSWORD = "testtest"
"""That of every other account that a seed makes in development and test."""

LOCKED = "!"
"""No hash: nobody can log in."""

EVERYDAY = ("development", "test")
SHORTEST = 12

_IDS = uuid.UUID("7e0a3c52-5d1f-4c55-9c4e-2f7c3b1f5a10")


def fixed_id(*words):
    """Return the id that a seeded row has in every database, so that tests can rely on it."""
    return uuid.uuid5(_IDS, "/".join(words))


# --- lookups --------------------------------------------------------------------------------------


def state(seed, abbreviation):
    """Return a state by its two letters."""
    return seed.find("us_states", abbreviation=abbreviation)


def default_organization(seed):
    """Return the one organization that is marked as the default."""
    return seed.find("organizations", is_default=True)


def role(seed, name):
    """Return a role that every organization has."""
    return seed.find("roles", name=name, organization_id=None)


def permission(seed, code):
    """Return a permission by its code, such as ``shipments.read``."""
    return seed.find("permissions", code=code)


def user(seed, email):
    """Return a user by e-mail address."""
    return seed.find("users", email=email)


# --- what seeds make ------------------------------------------------------------------------------


def create_organization(seed, *, scac, name, business_unit, dot_number, home="GA", **more):
    """Make an organization unless its SCAC is taken, and return it."""
    row = {
        "id": fixed_id("organization", scac),
        "business_unit_id": business_unit["id"],
        "scac": scac,
        "name": name,
        "dot_number": dot_number,
        "state": state(seed, home)["abbreviation"],
        **more,
    }
    return seed.insert_missing("organizations", row, key=["scac"])


def create_user(seed, *, email, name, organization=None, password=TEST_PASSWORD, **more):
    """Make a user of an organization (the default one) unless the address is taken; return it.

    Without a password the account is locked.
    """
    organization = organization or default_organization(seed)
    row = {
        "id": fixed_id("user", email),
        "organization_id": organization["id"],
        "username": email.partition("@")[0],
        "email": email,
        "name": name,
        "password_hash": seed.password_hash(password) if password else LOCKED,
        "status": "active" if password else "locked",
        **more,
    }
    return seed.insert_missing("users", row, key=["email"])


def create_role(seed, name, description, codes):
    """Make a role that every organization has, with these permissions; return it."""
    held = seed.lookup("roles", name=name, organization_id=None)
    row = {
        "id": held["id"] if held else fixed_id("role", name),
        "name": name,
        "description": description,
    }
    made = seed.upsert("roles", row)
    for code in codes:
        pair = {"role_id": made["id"], "permission_id": permission(seed, code)["id"]}
        seed.insert_missing("role_permissions", pair)
    return made


def assign_role(seed, account, name, organization=None):
    """Give a user a role in an organization (the user's own)."""
    row = {
        "user_id": account["id"],
        "role_id": role(seed, name)["id"],
        "organization_id": organization["id"] if organization else account["organization_id"],
    }
    return seed.insert_missing("user_roles", row)


# --- the administrator's password -----------------------------------------------------------------


def initial_admin_password(seed):
    """Return the password that the administrator begins with, or None for a locked account.

    It comes from the environment. Where nothing is there, development and test take the default
    that everybody knows, and production and staging take none.
    """
    given = seed.secret(ADMIN_VARIABLE)
    if given is None:
        return DEFAULT_ADMIN_PASSWORD if seed.environment in EVERYDAY else None
    if len(given) < SHORTEST or given == DEFAULT_ADMIN_PASSWORD:
        raise SeedError(
            "the administrator's password is too short, or the default one",
            where=ADMIN_VARIABLE,
            remedy=f"export one of your own with at least {SHORTEST} characters",
        )
    return given
