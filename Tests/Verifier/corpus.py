#!/usr/bin/env python3
"""Makes Tests/PolicyTests/Redaction/corpus.txt: corpus.py PATH_OF_COUNTERSIGN > corpus.txt

Each line: preset, direction, payload, and what `countersign redact` makes of it, with tabs between. The payloads vary
the fields of the products' documents. The test that reads the file judges each pair by rules of its own.
"""
import json
import subprocess
import sys

# Field names by product and direction, with a value as the product's documents have it. Marked values only.
ACCOUNT, CARD, SSN, PHONE = "8001234567", "4111111111111111", "123-45-6789", 5558675309
NAME, TOKEN = "Zebulon", "Zebulon-token-5f6c8d"
FIELDS = {
    ("ingopay", "request"): {
        "account": CARD, "routing_number": "067855512", "expiration_date": "2912", "cvv": "739", "track1": "%B" + CARD,
        "track2": CARD + "=2912", "customer_account_token": TOKEN, "third_party_token": TOKEN,
        "risk_assessment_token": TOKEN, "recipient_first_name": NAME, "recipient_last_name": NAME,
        "recipient_business_name": NAME, "recipient_address1": NAME, "recipient_address2": NAME,
        "recipient_city": NAME, "recipient_state": NAME, "recipient_zip": 67855, "recipient_phone": PHONE,
        "sender": {"sender_account": ACCOUNT, "sender_first_name": NAME, "sender_phone": PHONE, "sender_email": NAME},
        "ledger": {"api_key": TOKEN, "amount": 1010.5}},
    ("ingopay", "answer"): {
        "customer_account_token": TOKEN, "last_4": "1111", "expiration_date": "2912",
        "open_banking_response": json.dumps({"account_number": ACCOUNT, "status": 100, "ssn": SSN})},
    ("notify", "request"): {
        "recipient": {"first_name": NAME, "last_name": NAME, "email": NAME, "x": ACCOUNT},
        "transaction_parties": [{
            "name_personal": NAME, "contact_email": NAME, "contact_phone": PHONE,
            "authentication": [{"client_provided_value": "6789", "authentication_type": "ssn"}],
            "notification": [{"client_provided_value": NAME, "notification_type": "sms"}]}],
        "first_name": NAME, "last_name": NAME, "customer_id": ACCOUNT},
    ("notify", "answer"): {"notification_id": "9f1a2b3c-7d5e", "customer_id": ACCOUNT, "first_name": NAME},
    ("iframe", "request"): {
        "recipient_information": {"first_name": NAME, "account_number": ACCOUNT, "x": SSN},
        "open_banking": {"mobus_customer_id": TOKEN}},
    ("iframe", "answer"): {
        "authorized_url": "https://x.example/" + TOKEN, "session_identifier": TOKEN, "customer_account_token": TOKEN,
        "card": {"last_four": "1111", "name_on_card": NAME}},
    ("banking", "request"): {
        "api_key": TOKEN, "ssn": SSN, "date_of_birth": "1967-08-05", "ein": "67-8551234",
        "business_rep_dob": "1967-08-05", "business_rep_first_name": NAME, "business_rep_ssn": SSN, "email": NAME,
        "phone_number": str(PHONE), "address_line_1": NAME, "account_number": ACCOUNT, "routing_number": "067855512",
        "fingerprint": TOKEN, "meta_data": [{"key": NAME, "value": ACCOUNT}]},
    ("banking", "answer"): {
        "account_number": ACCOUNT, "account_number_last_4": "4567", "routing_number": "067855512",
        "ssn_last_4": "6789", "date_of_birth": "1967-08-05", "first_name": NAME, "business_name": NAME,
        "ownership_percent": 67855},
    ("problem", "answer"): {"detail": NAME + " " + ACCOUNT, "title": NAME, "token": TOKEN, "account_number": CARD},
}


def escaped(text):
    """The text as a JSON string, every byte of it an escape."""
    return '"' + "".join("\\u%04x" % ord(letter) for letter in text) + '"'


def places(name, value):
    """The field in the places and spellings that bodies have."""
    pair = '"%s":%s' % (name, value)
    yield "{%s}" % pair
    yield '{"status":100,"data":{"items":[{%s},{"type":"checking",%s}]}}' % (pair, pair)
    yield '{"%s":%s}' % (name.upper(), value)
    yield "{%s : %s}" % (escaped(name), value)
    yield '{"%s":[%s,{"x":%s}],"amount":"100.00"}' % (name, value, value)
    yield '{"response":%s}' % json.dumps("{%s}" % pair)
    yield '{"%s":{"memo":%s,"y":[%s]}}' % (name, value, value)
    yield '{"z":%s,"message":%s}' % (json.dumps("[%s]" % json.dumps("{%s}" % pair)), value)


def broken(name, value):
    pair = '"%s":%s' % (name, value)
    yield "{%s" % pair
    yield "{%s,}" % pair
    yield "{%s} %s" % (pair, value)


def payloads():
    for (preset, direction), fields in FIELDS.items():
        whole = json.dumps(fields, ensure_ascii=False)
        yield preset, direction, whole
        yield preset, direction, whole[:-1]
        yield preset, direction, json.dumps({"data": [fields, {"response": whole}]})
        for name, value in fields.items():
            values = [json.dumps(value)]
            if isinstance(value, str):
                values.append(escaped(value))
            for spelling in values:
                for body in places(name, spelling):
                    yield preset, direction, body
            for body in broken(name, values[0]):
                yield preset, direction, body


def main():
    seen = set()
    for preset, direction, body in payloads():
        if (preset, direction, body) in seen:
            continue
        seen.add((preset, direction, body))
        command = [sys.argv[1], "redact", "--product", preset, "--kind", direction, "-"]
        shown = subprocess.run(command, input=body.encode(), capture_output=True, check=True).stdout.decode()
        assert "\t" not in body and "\n" not in body
        print(preset, direction, body, shown.rstrip("\n"), sep="\t")


main()
