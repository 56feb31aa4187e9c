"""EC2's Query protocol: forms, XML answers, errors, and calls to moto itself."""

import io
import re
import xml.etree.ElementTree as ET
from urllib.parse import parse_qsl, urlencode

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
ID = re.compile(r"^(i|vpc|subnet|igw|rtb|sg|pcx|ami|key|eni|vol|rtbassoc|sgr)-[0-9a-f]{8,}$")


class Refused(Exception):
    """An error answer of EC2."""

    def __init__(self, code, message, status=400):
        super().__init__(code)
        self.code, self.message, self.status = code, message, status

    def answer(self):
        """Status and body."""
        root = ET.Element("Response")
        error = ET.SubElement(ET.SubElement(root, "Errors"), "Error")
        ET.SubElement(error, "Code").text = self.code
        ET.SubElement(error, "Message").text = self.message
        ET.SubElement(root, "RequestID").text = "0-1"
        return self.status, ET.tostring(root)


class Call:
    """A request to the API of one region."""

    def __init__(self, environ):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        self.environ, self.body = environ, environ["wsgi.input"].read(length)
        scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
        self.key, self.region, self.service = scope.groups() if scope else ("", "us-east-1", "")
        form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
        text = self.body.decode() if form else ""
        self.form = dict(parse_qsl(text, keep_blank_values=True))
        self.action = self.form.get("Action", "")

    def get(self, name):
        """The value of a parameter."""
        return self.form.get(name)

    def all(self, name):
        """The values of `Name.1`, `Name.2`, …"""
        return [v for k, v in self.form.items() if re.fullmatch(rf"{name}\.\d+", k)]

    def filters(self):
        """Filters by name, each with its values."""
        found = {}
        for key, name in self.form.items():
            number = re.fullmatch(r"Filter\.(\d+)\.Name", key)
            if number:
                found[name] = self.all(f"Filter.{number[1]}.Value")
        return found

    def without_filters(self, names):
        """The form without these filters."""
        numbers = [
            re.fullmatch(r"Filter\.(\d+)\.Name", k)[1]
            for k, v in self.form.items()
            if re.fullmatch(r"Filter\.\d+\.Name", k) and v in names
        ]
        dropped = tuple(f"Filter.{n}." for n in numbers)
        return {k: v for k, v in self.form.items() if not k.startswith(dropped)} if dropped else dict(self.form)

    def ids(self):
        """Returns the resource ids that the call uses, without tags and filters."""
        skip = re.compile(r"^(TagSpecification|Tag|Filter)\b|Tag\.\d|ClientToken|CidrBlock")
        return [v for k, v in self.form.items() if ID.match(v) and not skip.search(k)]

    def tags(self):
        """The tags of `TagSpecification` by resource type."""
        found = {}
        for key, kind in self.form.items():
            spec = re.fullmatch(r"(TagSpecification\.\d+)\.ResourceType", key)
            if spec:
                found[kind] = self.pairs(f"{spec[1]}.Tag")
        return found

    def pairs(self, prefix):
        """Tags of the form `PREFIX.1.Key`, `PREFIX.1.Value`."""
        keys = {k[: -len(".Key")]: v for k, v in self.form.items() if re.fullmatch(rf"{prefix}\.\d+\.Key", k)}
        return {key: self.form.get(f"{at}.Value", "") for at, key in keys.items()}

    def given(self):
        """Returns what must be equal in two launches: the parameters without those of the call itself."""
        own = ("ClientToken", "Action", "Version", "DryRun")
        return tuple(sorted((k, v) for k, v in self.form.items() if k not in own))


class Moto:
    """moto's own application, called for one account."""

    def __init__(self, app, account):
        self.app, self.account = app, account

    def raw(self, call, form=None):
        """Returns status, headers and body of moto's answer, to `form` if given."""
        body = call.body if form is None else urlencode(form).encode()
        environ = dict(call.environ)
        environ.update({
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_X_MOTO_ACCOUNT_ID": self.account,
        })
        answer = {}

        def start(status, headers, _=None):
            answer.update(status=int(status.split()[0]), headers=headers)

        body = b"".join(self.app(environ, start))
        return answer["status"], answer["headers"], body

    def ask(self, call, form):
        """Returns the root of moto's answer; raises its errors."""
        status, _, body = self.raw(call, form)
        root = parse(body)
        if status >= 400:
            raise Refused(root.findtext(".//Code"), root.findtext(".//Message"), status)
        return root

    def do(self, call, action, **parameters):
        """Calls another action in the call's region."""
        return self.ask(call, {"Action": action, "Version": "2016-11-15", **parameters})


def parse(body):
    """An answer without its namespace."""
    root = ET.fromstring(body)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def text(root):
    """The bytes of an answer."""
    root.set("xmlns", NAMESPACE)
    return ET.tostring(root)


def answer(action, **elements):
    """An answer with these elements."""
    root = ET.Element(f"{action}Response")
    ET.SubElement(root, "requestId").text = "0-1"
    for name, value in elements.items():
        ET.SubElement(root, name).text = value
    return root


def put(parent, path, value):
    """Sets the text at `path`, and creates missing elements."""
    for name in path.split("/"):
        found = parent.find(name)
        parent = ET.SubElement(parent, name) if found is None else found
    parent.text = value


def drop(parent, *names):
    """Removes children of these names."""
    for name in names:
        for child in parent.findall(name):
            parent.remove(child)
