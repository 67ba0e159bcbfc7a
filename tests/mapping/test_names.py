"""Names of classes, attributes and members."""

import pytest

from dbcycle_assets.mapping import names


@pytest.mark.parametrize(
    ("table", "made"),
    [
        ("tuition_log_charges", "TuitionLogCharge"),
        ("statuses", "Status"),
        ("addresses", "Address"),
        ("people", "Person"),
        ("us_states", "UsState"),
        ("CustomerOrders", "CustomerOrder"),
        ("Order Details", "OrderDetail"),
        ("news", "News"),
        ("bonus", "Bonus"),
        ("9lives", "_9life"),
    ],
)
def test_a_class_is_singular_and_in_pascal_case(table, made):
    """Only the last word changes."""
    assert names.class_name(table) == made


def test_members_are_told_apart():
    """Labels that look alike, are no identifiers or are empty get a name each."""
    assert names.members(["a-b", "a_b", "", "2nd", "--", "class"]) == [
        ("A_B", "a-b"),
        ("A_B_2", "a_b"),
        ("EMPTY", ""),
        ("VALUE_2ND", "2nd"),
        ("VALUE", "--"),
        ("CLASS", "class"),
    ]


def test_names_that_are_taken_or_forbidden():
    """Keywords and mangled names are avoided; twins are numbered."""
    assert names.free("class", set()) == "class_"
    assert names.free("__x", set()) == "_x"
    assert names.free("a", {"a"}) == "a_"
    assert names.free("a", {"a", "a_"}) == "a_3"
