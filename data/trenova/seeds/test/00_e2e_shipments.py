"""A shipment in each state that end-to-end tests begin from, with stops, charges and an invoice."""

from datetime import UTC, date, datetime, timedelta

VERSION = "1.0.0"
DEPENDS = ["development/01_test_users", "development/10_test_fleet"]

from tenancy import fixed_id, state, user

START = datetime(2030, 1, 7, 8, tzinfo=UTC)
STATES = ("tendered", "new", "in_transit", "delivered", "invoiced")


def run(seed):
    """Make one customer with two docks, and a shipment in each state."""
    carrier = seed.find("organizations", scac="TSTC")
    customer = seed.insert_missing(
        "customers",
        {
            "organization_id": carrier["id"],
            "code": "E2E",
            "name": "End to End Foods",
            **_address(seed),
        },
        key=["organization_id", "code"],
    )
    docks = [
        seed.insert_missing(
            "locations",
            {
                "id": fixed_id("dock", name),
                "organization_id": carrier["id"],
                "customer_id": customer["id"],
                "kind": "warehouse",
                "name": name,
                **_address(seed),
            },
        )
        for name in ("E2E North Dock", "E2E South Dock")
    ]
    for number, status in enumerate(STATES):
        shipment = _shipment(seed, carrier, customer, number, status)
        for sequence, dock in enumerate(docks, 1):
            planned = START + timedelta(days=number, hours=9 * sequence)
            seed.insert_missing(
                "stops",
                {
                    "shipment_id": shipment["id"],
                    "sequence": sequence,
                    "kind": "pickup" if sequence == 1 else "delivery",
                    "location_id": dock["id"],
                    "planned_at": planned,
                    "arrived_at": planned if status in STATES[3:] else None,
                },
            )
        seed.insert_missing(
            "shipment_charges",
            {
                "shipment_id": shipment["id"],
                "line": 1,
                "kind": "linehaul",
                "quantity": 500,
                "rate": 2.5,
            },
        )
    seed.insert_missing(
        "invoices",
        {
            "organization_id": carrier["id"],
            "customer_id": customer["id"],
            "shipment_id": fixed_id("shipment", "invoiced"),
            "status": "sent",
            "issued_on": date(2030, 1, 14),
            "due_on": date(2030, 2, 13),
            "total": 1250,
            "bill_to": {"name": "End to End Foods"},
        },
        key=["shipment_id"],
    )


def _shipment(seed, carrier, customer, number, status):
    moving = status in STATES[2:]
    return seed.insert_missing(
        "shipments",
        {
            "id": fixed_id("shipment", status),
            "organization_id": carrier["id"],
            "customer_id": customer["id"],
            "dispatched_by": user(seed, "dispatcher@testfreight.example")["id"],
            "driver_id": "00000000-0000-4000-8000-00000000d001" if moving else None,
            "tractor_id": "00000000-0000-4000-8000-00000000e001" if moving else None,
            "status": status,
            "tender_expires_at": START + timedelta(days=30) if status == "tendered" else None,
            "bill_of_lading": f"E2E-{number + 1}",
            "commodity": "frozen food",
            "weight_pounds": 42000,
            "miles": 500,
        },
    )


def _address(seed):
    return {
        "address_line": "100 Test Street",
        "city": "Atlanta",
        "state": state(seed, "GA")["abbreviation"],
        "postal_code": "30303",
    }
