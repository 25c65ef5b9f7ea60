"""The words in which the gateway says that a file isn't schema-valid: each kind of fault in Xerces's own sentence."""

import pytest
from lxml import etree

from deploy.sandbox.sii.reading import read
from deploy.sandbox.sii.xerces import xerces_words

_SCHEMA = etree.XMLSchema(
    etree.fromstring(
        """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:a" targetNamespace="urn:a"
  elementFormDefault="qualified"><xs:element name="R"><xs:complexType><xs:sequence>
  <xs:element name="T" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:minLength value="2"/>
    <xs:maxLength value="4"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="N" minOccurs="0"><xs:simpleType><xs:restriction base="xs:integer"><xs:minInclusive value="1"/>
    <xs:maxInclusive value="9"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="P" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[0-9]+"/>
    </xs:restriction></xs:simpleType></xs:element>
  <xs:element name="E" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:enumeration value="A"/>
    <xs:enumeration value="B"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="D" minOccurs="0"><xs:simpleType><xs:restriction base="xs:decimal"><xs:totalDigits value="4"/>
    <xs:fractionDigits value="2"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="L"/></xs:sequence><xs:attribute name="v" use="required"/></xs:complexType></xs:element>
</xs:schema>"""
    )
)
_CASES = [
    ('<R v="1"><T>abcde</T><L/></R>', "cvc-maxLength-valid: Value 'abcde' with length = '5' is not facet-valid with"),
    ('<R v="1"><T>a</T><L/></R>', "cvc-minLength-valid: Value 'a' with length = '1' is not facet-valid with respect"),
    (
        '<R v="1"><N>10</N><L/></R>',
        "cvc-maxInclusive-valid: Value '10' is not facet-valid with respect to maxInclusive '9'",
    ),
    (
        '<R v="1"><N>0</N><L/></R>',
        "cvc-minInclusive-valid: Value '0' is not facet-valid with respect to minInclusive '1'",
    ),
    ('<R v="1"><N>x</N><L/></R>', "cvc-datatype-valid.1.2.1: 'x' is not a valid value for '"),
    ('<R v="1"><P>x</P><L/></R>', "cvc-pattern-valid: Value 'x' is not facet-valid with respect to pattern '[0-9]+'"),
    (
        '<R v="1"><E>C</E><L/></R>',
        "cvc-enumeration-valid: Value 'C' is not facet-valid with respect to enumeration '[A, B]'.",
    ),
    (
        '<R v="1"><D>12345</D><L/></R>',
        "cvc-totalDigits-valid: Value '12345' has 5 total digits, but the number of total digits has been limited",
    ),
    (
        '<R v="1"><D>1.234</D><L/></R>',
        "cvc-fractionDigits-valid: Value '1.234' has 3 fraction digits, but the number of fraction digits has been",
    ),
    (
        '<R v="1"><X/><L/></R>',
        "cvc-complex-type.2.4.a: Invalid content was found starting with element 'X'. One of '{\"urn:a\":T, ",
    ),
    ('<R v="1"/>', "cvc-complex-type.2.4.b: The content of element 'R' is not complete. One of '{\"urn:a\":T, "),
    ('<R v="1"><L/><X/></R>', "cvc-complex-type.2.4.d: Invalid content was found starting with element 'X'. No child"),
    ("<R><L/></R>", "cvc-complex-type.4: Attribute 'v' must appear on element 'R'."),
    ('<R v="1" w="2"><L/></R>', "cvc-complex-type.3.2.2: Attribute 'w' is not allowed to appear in element 'R'."),
    ('<R v="1">text<L/></R>', "cvc-complex-type.2.3: Element 'R' cannot have character [children]"),
    ("<Q/>", "cvc-elt.1: Cannot find the declaration of element 'Q'."),
]


@pytest.mark.parametrize(("text", "words"), _CASES)
def test_each_kind_of_fault(text: str, words: str) -> None:
    root = read(text.replace("<R", '<R xmlns="urn:a"', 1).replace("<Q", '<Q xmlns="urn:a"', 1).encode())
    assert not _SCHEMA.validate(root)
    said = [sentence for fault in _SCHEMA.error_log for sentence in xerces_words(fault, root)]
    assert said[0].startswith(words), said
    assert all(sentence.startswith("cvc-") for sentence in said)


def test_a_value_is_told_with_its_element() -> None:
    root = read(b'<R xmlns="urn:a" v="1"><E>C</E><L/></R>')
    assert not _SCHEMA.validate(root)
    said = [sentence for fault in _SCHEMA.error_log for sentence in xerces_words(fault, root)]
    assert "cvc-type.3.1.3: The value 'C' of element 'E' is not valid." in said
