"""Every column has a class by its name and type alone."""

from dbcycle_assets.anonymizers.base import Kind
from dbcycle_assets.model.catalog import Column, Table
from dbcycle_assets.model.privacy import privacy_of


def test_a_class_needs_no_value():
    """An address is personal by its name, a key and a number are not, a title is not for sure."""
    columns = (
        Column("id", "integer", Kind.INTEGER, nullable=False),
        Column("email", "text", Kind.TEXT),
        Column("amount", "numeric", Kind.NUMERIC),
        Column("colour", "text", Kind.TEXT),
    )
    found = privacy_of(Table("t", "public", "t", columns, primary_key=("id",)))
    assert (found["email"].klass, found["email"].personal) == ("email", True)
    assert not any(found[name].personal for name in ("id", "amount", "colour"))
    assert found["id"].klass == "key"
