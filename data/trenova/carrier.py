"""The invented trucking company behind the dump: who works there, what they drive and haul.

Everything is drawn from ``random.Random(f"{seed}:{topic}")``, one stream a topic, so that the same
seed gives the same rows. People are quoted wherever real applications quote them: in notes, JSON,
audit rows and on delivery receipts.
"""

import json
import random
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from faker import Faker
from ruamel.yaml import YAML

START = datetime(2024, 1, 15, 6, tzinfo=UTC)
DEFAULT_ORGANIZATION = "00000000-0000-4000-8000-0000000000a1"
"""The golden customer belongs to it."""

STATES = YAML(typ="safe").load(
    (Path(__file__).parent / "seeds" / "base" / "00_us_states.yaml").read_text(encoding="utf-8")
)["us_states"]
CITIES = (
    ("Atlanta", "GA", "303", 33.75, -84.39), ("Memphis", "TN", "381", 35.15, -90.05),
    ("Dallas", "TX", "752", 32.78, -96.80), ("Laredo", "TX", "780", 27.51, -99.51),
    ("Chicago", "IL", "606", 41.88, -87.63), ("Joliet", "IL", "604", 41.53, -88.08),
    ("Indianapolis", "IN", "462", 39.77, -86.16), ("Columbus", "OH", "432", 39.96, -83.00),
    ("Louisville", "KY", "402", 38.25, -85.76), ("Savannah", "GA", "314", 32.08, -81.09),
    ("Ontario", "CA", "917", 34.06, -117.65), ("Fontana", "CA", "923", 34.09, -117.44),
    ("Reno", "NV", "895", 39.53, -119.81), ("Phoenix", "AZ", "850", 33.45, -112.07),
    ("Denver", "CO", "802", 39.74, -104.99), ("Omaha", "NE", "681", 41.26, -95.93),
    ("Harrisburg", "PA", "171", 40.27, -76.88), ("Newark", "NJ", "071", 40.74, -74.17),
    ("Jacksonville", "FL", "322", 30.33, -81.66), ("Tacoma", "WA", "984", 47.25, -122.44),
)  # fmt: skip
AREAS = ("404", "901", "214", "312", "317", "614", "502", "909", "775", "602", "303", "904")
MAILS = ("mailbox.example", "roadmail.example", "inbox.example", "haulpost.example")
MAKES = (("Kenworth", "1XK"), ("Peterbilt", "1XP"), ("Freightliner", "1FU"), ("Volvo", "4V4"))
COMMODITIES = (
    "palletized paper", "canned goods", "frozen food", "auto parts", "bottled water", "lumber",
    "steel coils", "household appliances", "fresh produce", "pet supplies",
)  # fmt: skip
RESOURCES = {
    "customers": "read create update delete", "equipment": "read create update delete",
    "invoices": "read create update delete", "locations": "read create update delete",
    "organizations": "read update", "shipments": "read create update delete",
    "users": "read create update delete", "workers": "read create update delete",
}  # fmt: skip
ROLES = ("Administrator", "Dispatcher", "Driver Manager", "Billing Clerk")
OWN_ROLES = ("Night Desk", "Claims", "Recruiting")
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "TrenovaDriver/4.2 (Android 14)",
)

# Nobody is called like a word that stays: a kept state is no leak, but a surname beside it could
# not be told from one. The same goes for the words of fake prose, streets and companies.
_STAYING = {
    word
    for text in (
        *(row["name"] for row in STATES), *COMMODITIES, *RESOURCES, *ROLES, *OWN_ROLES, *AGENTS,
        *(make for make, _ in MAKES), *(place[0] for place in CITIES),
        "golden grain mills harbor road buyer test driver carrier broker freight group street dock",
        "north south east west main square lane avenue end foods admin administrator example yard",
        "spouse parent sibling friend dark light usd eastern central pacific mountain america york",
        "phone email name line mae art gene may will mark bill rich chase lane case drew grant guy",
        "amet aute elit enim esse illo ipsa ipsam ipsum iste lorem modi nemo nulla sed sit sunt unde",
        "dee bea ada abe fae dea ace fee add bad dad fed",  # a uuid may hold these letters
    )
    for word in re.findall(r"[a-z]+", text.lower())
}  # fmt: skip
_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2,
                                                   3, 4, 5, 6, 7, 8, 9), strict=True))  # fmt: skip
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


class World:
    """One company of a seed; ``shipments`` sets the size of everything."""

    def __init__(self, shipments: int, seed: int) -> None:
        self.seed = seed
        self.size = shipments
        self._fake = Faker("en_US")
        self._fake.seed_instance(seed)
        self._taken: set[str] = set()
        self.organizations = [
            DEFAULT_ORGANIZATION,
            *(self._id("organizations", number) for number in range(2)),
        ]
        self._users = [self._person("users", n) for n in range(max(20, shipments // 8))]
        self._workers = [self._person("workers", n) for n in range(max(20, shipments // 4))]
        self._buyers = [self._person("buyers", n) for n in range(max(15, shipments // 8))]
        self._companies = [self._company() for _ in self._buyers]

    def draw(self, topic: str) -> random.Random:
        """Return a stream of numbers of its own for a topic."""
        return random.Random(f"{self.seed}:{topic}")

    def tables(self):
        """Yield (table, columns, rows), parents first."""
        yield from self._tenants()
        yield from self._access()
        yield from self._people()
        yield from self._places()
        yield from self._equipment()
        yield from self._freight()
        yield from self._audit()

    # --- people -----------------------------------------------------------------------------------

    def _id(self, topic: str, number: int) -> str:
        return str(uuid.UUID(int=self.draw(f"id:{topic}:{number}").getrandbits(128), version=4))

    def _person(self, topic: str, number: int) -> dict:
        draw = self.draw(f"person:{topic}:{number}")
        while True:
            first, last = self._fake.first_name(), self._fake.last_name()
            name = f"{first} {last}"
            usual = len(first) > 3 and len(last) > 3
            if usual and name not in self._taken and not {first.lower(), last.lower()} & _STAYING:
                break
        self._taken.add(name)
        handle = f"{first}.{last}{number}".lower()
        return {
            "id": self._id(topic, number), "first": first, "last": last, "name": name,
            "handle": handle, "email": f"{handle}@{draw.choice(MAILS)}",
            "phone": _phone(draw), "organization": draw.choices(self.organizations, (6, 3, 1))[0],
            "at": START + timedelta(hours=draw.randrange(9000)),
        }  # fmt: skip

    def _company(self) -> str:
        while True:
            words = [word for word in (self._fake.last_name(), self._fake.last_name())]
            name = f"{words[0]} {words[1]} {self._fake.company_suffix()}"
            fits = not {word.lower() for word in words} & _STAYING and name not in self._taken
            if fits and min(map(len, words)) > 3:
                self._taken.add(name)
                return name

    def _address(self, draw: random.Random) -> tuple:
        city, state, prefix, *_ = draw.choice(CITIES)
        street = f"{draw.randrange(100, 9900)} {self._fake.last_name()} {draw.choice(('Rd', 'Hwy', 'Dr'))}"
        return street, city, state, f"{prefix}{draw.randrange(100):02d}"

    # --- tables -----------------------------------------------------------------------------------

    def _tenants(self):
        yield (
            "us_states",
            ("abbreviation", "name", "is_contiguous"),
            [(row["abbreviation"], row["name"], row["is_contiguous"]) for row in STATES],
        )
        draw = self.draw("tenants")
        units = [self._id("units", number) for number in range(2)]
        rows = []
        for number, unit in enumerate(units):
            owner = self._users[number]
            settings = {"owner": owner["name"], "owner_phone": owner["phone"], "currency": "USD",
                        "note": f"call {owner['name']} before any change"}  # fmt: skip
            rows.append((unit, f"UNIT{number + 1}", self._company(), owner["email"],
                         json.dumps(settings), START, START))  # fmt: skip
        yield (
            "business_units",
            ("id", "code", "name", "billing_email", "settings", "created_at", "updated_at"),
            rows,
        )
        rows = []
        for number, organization in enumerate(self.organizations):
            street, city, state, postal = self._address(draw)
            rows.append((
                organization, units[number % 2], ("carrier", "broker", "both")[number],
                self._company(), "".join(draw.choices("BCDFGHJKLMNPQRSTVWXZ", k=4)),
                f"{draw.randrange(10**6, 10**7)}", f"{draw.randrange(10, 99)}-{draw.randrange(10**6, 10**7)}",
                _phone(draw), street, city, state, postal, number == 0, START, START,
            ))  # fmt: skip
        yield "organizations", (
            "id", "business_unit_id", "kind", "name", "scac", "dot_number", "ein", "phone",
            "address_line", "city", "state", "postal_code", "is_default", "created_at", "updated_at",
        ), rows  # fmt: skip

    def _access(self):
        draw = self.draw("users")
        rows = []
        for number, person in enumerate(self._users):
            seen = (
                None if number % 17 == 5 else person["at"] + timedelta(days=draw.randrange(1, 90))
            )
            preferences = {
                "theme": draw.choice(("light", "dark")),
                "signature": f"{person['name']}\n{person['phone']}",
                "notify": {"email": person["email"], "sms": person["phone"]},
                "favourite_customers": draw.sample(self._companies, k=2),
            }
            code = "".join(
                draw.choices(
                    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=53
                )
            )
            rows.append((
                person["id"], person["organization"], person["handle"], person["email"],
                "!" if number % 19 == 7 else f"$2b$10${code}", person["name"],
                person["phone"] if draw.random() < 0.8 else None,
                draw.choice(("America/New_York", "America/Chicago", "America/Denver")),
                json.dumps(preferences), number % 23 != 9, seen,
                self._fake.ipv4_public() if seen else None, person["at"], person["at"],
            ))  # fmt: skip
        yield "users", (
            "id", "organization_id", "username", "email", "password_hash", "name", "phone", "timezone",
            "preferences", "is_active", "last_login_at", "last_login_ip", "created_at", "updated_at",
        ), rows  # fmt: skip
        permissions = [
            (
                self._id(f"permission:{resource}", number),
                resource,
                action,
                f"May {action} {resource}",
            )
            for resource, actions in RESOURCES.items()
            for number, action in enumerate(actions.split())
        ]
        yield "permissions", ("id", "resource", "action", "description"), permissions
        roles = [(self._id("roles", n), None, name, "") for n, name in enumerate(ROLES)]
        for number, name in enumerate(OWN_ROLES):
            owner = self._users[number + 2]
            told = f"Asked for by {owner['name']}, {owner['email']}"
            roles.append((self._id("own roles", number), self.organizations[number], name, told))
        yield "roles", ("id", "organization_id", "name", "description"), roles
        yield (
            "role_permissions",
            ("role_id", "permission_id", "granted_at"),
            [
                (role[0], permission[0], START)
                for number, role in enumerate(roles)
                for place, permission in enumerate(permissions)
                if number == 0 or (place + number) % 3 == 0
            ],
        )
        rows = []
        for number, person in enumerate(self._users):
            mine = {draw.choice(roles[:4])[0], draw.choice(roles[1:4])[0]}
            by = self._users[0]["id"] if number else None
            rows += [
                (person["id"], role, person["organization"], by, person["at"])
                for role in sorted(mine)
            ]
        yield (
            "user_roles",
            ("user_id", "role_id", "organization_id", "assigned_by", "assigned_at"),
            rows,
        )

    def _people(self):
        draw = self.draw("workers")
        rows, licenses = [], []
        for number, person in enumerate(self._workers):
            street, city, state, postal = self._address(draw)
            hired = (START - timedelta(days=draw.randrange(30, 4000))).date()
            gone = number % 13 == 4
            kin = self._person("kin", number)
            boss = self._workers[number // 12] if number > 11 else None
            notes = draw.choice((
                None, "", f"{person['first']} prefers night runs. Call {person['phone']} first.",
                f"Referred by {draw.choice(self._users)['name']}.",
                f"{person['name']} asked to send pay stubs to {person['email']}",
            ))  # fmt: skip
            at = person["at"]
            rows.append((
                person["id"], person["organization"], None, boss["id"] if boss else None,
                f"W{number + 1:05d}", draw.choice(("employee", "employee", "contractor")),
                "terminated" if gone else draw.choice(("active", "active", "active", "on_leave")),
                person["last"] if number % 41 == 11 else f"{person['last']}, {person['first']}",
                (START - timedelta(days=draw.randrange(8000, 23000))).date(),
                f"{draw.randrange(100, 665):03d}-{draw.randrange(1, 100):02d}-{draw.randrange(1, 10000):04d}",
                person["phone"], person["email"] if draw.random() < 0.85 else None,
                street, city, state, postal,
                json.dumps({"name": kin["name"], "phone": kin["phone"],
                            "relation": draw.choice(("spouse", "parent", "sibling", "friend"))}),
                f"{draw.randrange(10**8, 10**9)}", f"{draw.randrange(10**9, 10**12)}",
                f"0.{draw.randrange(450, 780)}", hired,
                hired + timedelta(days=draw.randrange(1, 700)) if gone else None, notes, at, at,
            ))  # fmt: skip
            issued = hired - timedelta(days=draw.randrange(10, 900))
            doctor = f"Dr {draw.choice(self._buyers)['name']}"
            licenses.append((
                person["id"], state, f"{state}{number:04d}{draw.randrange(10**5):05d}",
                draw.choice("AAAB"), "{" + ",".join(sorted(draw.sample(("hazmat", "tanker", "doubles"), k=number % 3))) + "}",
                issued, issued + timedelta(days=1460), doctor if draw.random() < 0.6 else None,
            ))  # fmt: skip
        yield "workers", (
            "id", "organization_id", "user_id", "manager_id", "code", "kind", "status", "name",
            "date_of_birth", "ssn", "phone", "personal_email", "address_line", "city", "state",
            "postal_code", "emergency_contact", "bank_routing", "bank_account", "pay_per_mile",
            "hired_on", "terminated_on", "notes", "created_at", "updated_at",
        ), rows  # fmt: skip
        yield "worker_licenses", (
            "worker_id", "state", "number", "class", "endorsements", "issued_on", "expires_on",
            "medical_examiner",
        ), licenses  # fmt: skip

    def _places(self):
        draw = self.draw("places")
        customers, locations = [], []
        for number, (name, buyer) in enumerate(zip(self._companies, self._buyers, strict=True)):
            street, city, state, postal = self._address(draw)
            clerk = self._person("clerks", number)
            billing = {"attention": clerk["name"], "email": clerk["email"],
                       "terms_days": draw.choice((15, 30, 45)), "purchase_order": f"PO-{number:04d}"}  # fmt: skip
            customers.append((
                self._id("customers", number), buyer["organization"], f"{name[:3].upper()}{number:04d}",
                name, buyer["name"] if number % 7 else None, buyer["email"] if number % 11 else None,
                buyer["phone"], street, city, state, postal,
                draw.choice((None, 5000, 25000, 100000)), json.dumps(billing if number % 4 else {}),
                number % 15 != 3, START, START,
            ))  # fmt: skip
        for number in range(len(customers) * 5 // 2):
            owner = number % len(customers)
            city, state, prefix, latitude, longitude = draw.choice(CITIES)
            gate = f"Ask for {self._buyers[owner]['name']} at {self._buyers[owner]['phone']}, gate {number % 9}"
            locations.append((
                self._id("locations", number), customers[owner][1], customers[owner][0],
                draw.choice(("terminal", "warehouse", "warehouse", "store", "rail_yard")),
                self._companies[owner],
                f"{draw.randrange(100, 9900)} {self._fake.last_name()} Blvd", city, state,
                f"{prefix}{draw.randrange(100):02d}", f"{latitude + draw.uniform(-0.2, 0.2):.6f}",
                f"{longitude + draw.uniform(-0.2, 0.2):.6f}", gate if number % 3 else None,
                json.dumps({"mon-fri": "06:00-22:00"} if number % 2 else {}),
            ))  # fmt: skip
        self._customers, self._locations = customers, locations
        yield "customers", (
            "id", "organization_id", "code", "name", "contact_name", "contact_email", "contact_phone",
            "address_line", "city", "state", "postal_code", "credit_limit", "billing", "is_active",
            "created_at", "updated_at",
        ), customers  # fmt: skip
        yield "locations", (
            "id", "organization_id", "customer_id", "kind", "name", "address_line", "city", "state",
            "postal_code", "latitude", "longitude", "gate_instructions", "opening_hours",
        ), locations  # fmt: skip

    def _equipment(self):
        draw = self.draw("equipment")
        tractors, trailers = [], []
        for number, person in enumerate(self._workers[: len(self._workers) * 3 // 4]):
            make, maker = draw.choice(MAKES)
            year = draw.randrange(2015, 2025)
            telematics = {"device": f"{draw.getrandbits(48):012x}", "sim": f"8901{draw.randrange(10**14):014d}",
                          "last_driver": person["name"], "firmware": "4.2"}  # fmt: skip
            tractors.append((
                self._id("tractors", number), person["organization"], person["id"], f"T{number + 100}",
                draw.choice(("available", "in_use", "in_use", "in_shop", "sold")), make, year,
                _vin(draw, maker), f"{draw.choice('PQRT')}{number:05d}", draw.choice(CITIES)[1],
                draw.randrange(5_000, 900_000), json.dumps(telematics),
            ))  # fmt: skip
        for number in range(len(self._workers)):
            trailers.append((
                self._id("trailers", number), draw.choice(self.organizations), f"R{number + 100}",
                draw.choice(("dry_van", "dry_van", "reefer", "flatbed", "tanker")),
                draw.choice(("available", "in_use")), _vin(draw, "1JJ"), f"R{number:05d}", draw.choice(CITIES)[1], 53,
            ))  # fmt: skip
        self._tractors, self._trailers = tractors, trailers
        yield "tractors", (
            "id", "organization_id", "primary_worker_id", "unit_number", "status", "make",
            "model_year", "vin", "plate", "plate_state", "odometer_miles", "telematics",
        ), tractors  # fmt: skip
        yield "trailers", (
            "id", "organization_id", "unit_number", "kind", "status", "vin", "plate", "plate_state",
            "length_feet",
        ), trailers  # fmt: skip

    def _freight(self):
        draw = self.draw("freight")
        shipments, stops, events, charges, invoices = [], [], [], [], []
        for number in range(self.size):
            place = draw.randrange(len(self._customers))
            customer, buyer = self._customers[place], self._buyers[place]
            shipment = self._id("shipments", number)
            status = draw.choice(
                (
                    "new",
                    "assigned",
                    "in_transit",
                    "delivered",
                    "invoiced",
                    "invoiced",
                    "invoiced",
                    "cancelled",
                )
            )
            truck = draw.choice(self._tractors)
            driver = next(each for each in self._workers if each["id"] == truck[2])
            moving = status not in {"new", "cancelled"}
            miles = draw.randrange(60, 2400)
            at = START + timedelta(hours=number * 9 + draw.randrange(9))
            special = draw.choice((
                None, "No touch freight.", f"Driver {driver['name']} only, per {buyer['name']}.",
                f"Late? Mail {buyer['email']} or call {buyer['phone']}.",
            ))  # fmt: skip
            reference = {
                "ordered_by": buyer["name"],
                "email": buyer["email"],
                "order": f"SO-{number:06d}",
            }
            shipments.append((
                shipment, customer[1], customer[0], driver["id"] if moving else None,
                truck[0] if moving else None, draw.choice(self._trailers)[0] if moving else None,
                draw.choice(self._users)["id"], 100001 + number, status, f"BOL{number:07d}",
                draw.choice(COMMODITIES), draw.randrange(2_000, 46_000), miles,
                "[34,39)" if number % 6 == 0 else None, special,
                json.dumps(reference if number % 5 else {}), at, at,
            ))  # fmt: skip
            done = status in {"delivered", "invoiced"}
            for sequence in range(1, 3 + (number % 4 == 0)):
                planned = at + timedelta(hours=14 * sequence)
                arrived = planned + timedelta(minutes=draw.randrange(-40, 120)) if done else None
                stops.append((
                    shipment, sequence, "pickup" if sequence == 1 else "delivery",
                    draw.choice(self._locations)[0], planned, arrived,
                    arrived + timedelta(minutes=draw.randrange(15, 240)) if arrived else None,
                ))  # fmt: skip
                if arrived:
                    signer = draw.choice(self._buyers)
                    remark = draw.choice(
                        (
                            None,
                            f"Signed by {signer['name']}, {driver['first']} waited.",
                            "2 cases short",
                        )
                    )
                    events.append(
                        (len(events) + 1, shipment, sequence, arrived, signer["name"], remark)
                    )
            total = round(miles * 2.45, 2)
            charges.append((shipment, 1, "linehaul", miles, "2.4500"))
            if number % 2:
                charges.append((shipment, 2, "fuel", miles, "0.5500"))
                total += round(miles * 0.55, 2)
            if status == "invoiced":
                issued = (at + timedelta(days=4)).date()
                state = draw.choice(("sent", "sent", "paid", "draft"))
                bill = {"name": customer[3], "attention": buyer["name"], "email": buyer["email"],
                        "address": customer[7], "remark": f"attn {buyer['name']}"}  # fmt: skip
                invoices.append((
                    5001 + len(invoices), customer[1], customer[0], shipment, state, issued,
                    issued + timedelta(days=30), f"{total:.2f}", f"{total if state == 'paid' else 0:.2f}",
                    json.dumps(bill), f"Thank you, {buyer['first']}!" if number % 3 else None,
                ))  # fmt: skip
        yield "shipments", (
            "id", "organization_id", "customer_id", "driver_id", "tractor_id", "trailer_id",
            "dispatched_by", "pro_number", "status", "bill_of_lading", "commodity", "weight_pounds",
            "miles", "temperature_range", "special_instructions", "customer_reference", "created_at",
            "updated_at",
        ), shipments  # fmt: skip
        yield "stops", (
            "shipment_id", "sequence", "kind", "location_id", "planned_at", "arrived_at", "departed_at",
        ), stops  # fmt: skip
        yield (
            "stop_events",
            ("id", "shipment_id", "sequence", "happened_at", "signed_by", "remark"),
            events,
        )
        yield "shipment_charges", ("shipment_id", "line", "kind", "quantity", "rate"), charges
        yield "invoices", (
            "number", "organization_id", "customer_id", "shipment_id", "status", "issued_on", "due_on",
            "total", "paid", "bill_to", "remit_note",
        ), invoices  # fmt: skip

    def _audit(self):
        draw = self.draw("audit")
        rows = []
        for number in range(self.size * 2):
            actor, worker = draw.choice(self._users), draw.choice(self._workers)
            action = draw.choice(("login", "login", "insert", "update", "update", "export"))
            changes = {}
            if action == "update":
                changes = draw.choice((
                    {"field": "phone", "phone": {"old": worker["phone"], "new": _phone(draw)}},
                    {"field": "email", "email": {"old": f"{worker['last'].lower()}@{MAILS[0]}", "new": worker["email"]}},
                    {"field": "name", "name": {"old": worker["last"], "new": worker["name"]}},
                    {"field": "notes", "text": f"{actor['name']} spoke to {worker['name']}"},
                ))  # fmt: skip
            rows.append((
                number + 1, START + timedelta(minutes=number * 37), actor["organization"],
                actor["id"] if number % 29 else None, actor["email"], action,
                "users" if action == "login" else "workers", worker["id"] if changes else None,
                json.dumps(changes), self._fake.ipv4_public() if number % 4 else None,
                draw.choice(AGENTS) if number % 4 else None,
            ))  # fmt: skip
        yield "audit_log", (
            "id", "happened_at", "organization_id", "actor_id", "actor_email", "action", "entity",
            "entity_id", "changes", "client_ip", "user_agent",
        ), rows  # fmt: skip


def _phone(draw: random.Random) -> str:
    return f"({draw.choice(AREAS)}) {draw.randrange(200, 999)}-{draw.randrange(10_000):04d}"


def _vin(draw: random.Random, maker: str) -> str:
    """Return a vehicle number with a valid check digit."""
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    text = f"{maker}{''.join(draw.choices(letters, k=5))}0{''.join(draw.choices(letters, k=2))}{draw.randrange(10**6):06d}"
    values = (int(each) if each.isdigit() else _VIN_VALUES[each] for each in text)
    rest = sum(value * weight for value, weight in zip(values, _VIN_WEIGHTS, strict=True)) % 11
    return f"{text[:8]}{'X' if rest == 10 else rest}{text[9:]}"
