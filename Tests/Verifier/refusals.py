"""The table of wrong signatures: what is bent about a request that is otherwise right, and the message that follows."""

import base64
import hashlib

from harness import STANDARD, sha512


def both_values(name, value):
    def bend(request):
        data = request.bytes()
        return data.replace(b"\r\n\r\n", f"\r\n{name}: {value}\r\n\r\n".encode(), 1)
    return bend


def with_values(**changes):
    def bend(request):
        request.values |= {name.replace("_", "-"): value for name, value in changes.items()}
        return request.bytes()
    return bend


def with_authorization(change):
    return lambda request: request.bytes(authorization=change(request.authorization()))


def hex_digest(request):
    text = base64.b64encode(hashlib.sha512(request.body).hexdigest().encode()).decode()
    return with_values(content_sha512=text)(request)


def names_only(names):
    def bend(request):
        request.names = names
        return request.bytes()
    return bend


def hex_signature(request):
    text = request.authorization()
    signature = base64.b64decode(text.split('signature="')[1][:-1]).hex()
    return request.bytes(authorization=text.split("signature=")[0] + f'signature="{signature}"')


DATE_MESSAGE = "HMAC signature cannot be verified, a valid date or x-date header is required for HMAC Authentication"
CANNOT = "HMAC signature cannot be verified"
DIFFERS = "HMAC signature does not match"

# name, options of the request, what is bent, the message (None: accepted)
TABLE = [
    ("right", {}, None, None),
    # A second may pass on the way: it makes -299 into -300, +300 into +299, -301 into -302, +302 into +301.
    ("clock 299 s behind", {"offset": -299}, None, None),
    ("clock 300 s ahead", {"offset": 300}, None, None),
    ("clock 301 s behind", {"offset": -301}, None, DATE_MESSAGE),
    ("clock 302 s ahead", {"offset": 302}, None, DATE_MESSAGE),
    ("date in another form", {}, with_values(x_date="2026-04-16T12:34:56Z"), DATE_MESSAGE),
    ("no date", {}, with_values(x_date=None), DATE_MESSAGE),
    ("x-date twice", {}, both_values("X-Date", "Fri, 17 Jan 2020 19:59:29 GMT"), DATE_MESSAGE),
    ("no authorization", {}, lambda request: request.bytes(authorization=""), "Unauthorized"),
    ("authorization twice", {}, lambda request: both_values("Authorization", request.authorization())(request), CANNOT),
    ("proxy-authorization", {}, both_values("Proxy-Authorization", "x"), CANNOT),
    ("header called request-line", {}, both_values("Request-Line", "POST / HTTP/1.1"), CANNOT),
    ("host missing", {}, with_values(host=None), CANNOT),
    ("wrong secret", {"secret": b"wrong"}, None, DIFFERS),
    ("unknown user", {"username": "nobody"}, None, CANNOT),
    ("wrong algorithm", {"algorithm": "hmac-sha256"}, None, CANNOT),
    ("algorithm not known", {}, with_authorization(lambda text: text.replace("hmac-sha512", "hmac-md5")), CANNOT),
    ("upper-case scheme", {}, with_authorization(lambda text: "HMAC" + text[4:]), CANNOT),
    ("bearer", {}, with_authorization(lambda text: "Bearer token"), CANNOT),
    ("no space behind a comma", {}, with_authorization(lambda text: text.replace(", ", ",")), CANNOT),
    ("something behind", {}, with_authorization(lambda text: text + ", x=\"y\""), CANNOT),
    ("name of a parameter", {}, with_authorization(lambda text: text.replace("headers=", "request_headers=")), CANNOT),
    ("list in another order than signed", {},
     with_authorization(lambda text: text.replace("content-type content-sha512", "content-sha512 content-type")),
     DIFFERS),
    ("list in an order of its own", {"names": "content-length content-sha512 x-date request-line content-type"}, None,
     None),
    ("list with another header", {"names": STANDARD + " host"}, None, None),
    ("list with an absent header", {"names": STANDARD + " x-absent"}, None, None),
    ("list repeats a name", {"names": STANDARD + " x-date"}, None, CANNOT),
    ("list with two spaces", {"names": STANDARD.replace(" ", "  ", 1)}, None, CANNOT),
    ("list in capitals", {}, with_authorization(lambda text: text.replace("x-date", "X-Date")), CANNOT),
    ("request line not signed", {"names": STANDARD[13:]}, None, CANNOT),
    ("date not signed", {}, names_only(STANDARD.replace(" x-date", "")), CANNOT),
    ("type not signed", {}, names_only(STANDARD.replace(" content-type", "")), CANNOT),
    ("digest not signed", {}, names_only(STANDARD.replace(" content-sha512", "")), CANNOT),
    ("length not signed", {}, names_only(STANDARD.replace(" content-length", "")), CANNOT),
    ("altered body", {}, lambda request: request.bytes(body=request.body.swapcase()), DIFFERS),
    ("altered target", {}, lambda request: request.bytes().replace(b"/balance/user", b"/balance/USER", 1), DIFFERS),
    ("digest of other bytes", {}, with_values(content_sha512=sha512(b"other")), DIFFERS),
    ("digest in hexadecimal", {}, hex_digest, DIFFERS),
    ("digest missing", {}, with_values(content_sha512=None), None),
    ("digest twice", {}, both_values("Content-sha512", "x"), CANNOT),
    ("type twice", {}, both_values("Content-Type", "application/json"), CANNOT),
    ("type with a charset", {}, with_values(content_type="application/json; charset=utf-8"), CANNOT),
    ("signature in hexadecimal", {}, hex_signature, DIFFERS),
    ("signature without padding", {}, with_authorization(lambda text: text.replace('=="', '"')), DIFFERS),
]
