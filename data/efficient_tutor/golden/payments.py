"""One settled payment; this file is read as a literal and never run."""

GOLDEN_PAYMENTS = [
    {
        "id": "00000000-0000-4000-8000-000000000801",
        "parent_id": "00000000-0000-4000-8000-000000000301",
        "teacher_id": "00000000-0000-4000-8000-000000000201",
        "amount": "70.00",
        "currency": "GBP",
        "status": "settled",
        "method": "bank_transfer",
        "payer_name": "Golden Mother",
        "reference": "GOLDEN-000001",
        "note": None,
        "paid_at": "2024-02-06 09:00:00+00",
    },
]
