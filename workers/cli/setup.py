"""`fmgo issuer|branch|person|certificate|caf …`: what must be known before a document can be issued."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from workers.cli.access import Access, CaFKeyOption, For, PasswordFile, canonical, companies, password_for, read_file
from workers.cli.folios import ranges_in
from workers.cli.output import DONE, Environment, EnvironmentFilter, Json, amount, say, show_problems, table, write_json
from workers.database import enrolment as rows
from workers.database.enrolment import BranchRow, IssuerRow

issuer = typer.Typer(no_args_is_help=True, help="Companies that issue.")
branch = typer.Typer(no_args_is_help=True, help="Branches (sucursales) and tills.")
person = typer.Typer(no_args_is_help=True, help="People who sign and send.")
certificate = typer.Typer(no_args_is_help=True, help="Their certificates.")
caf = typer.Typer(no_args_is_help=True, help="Folio authorisations (CAF).")

Rut = Annotated[str, typer.Argument(help="RUT, e.g. 76900101-8.", metavar="RUT")]
Day = Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="Day of the resolution.", metavar="DATE")]


@issuer.command("add")
def issuer_add(
    rut: Rut,
    razon_social: Annotated[str, typer.Option(help="RznSoc.")],
    giro: Annotated[str, typer.Option(help="GiroEmis.")],
    acteco: Annotated[list[int], typer.Option(help="Acteco; repeats, up to four.")],
    dir_origen: Annotated[str, typer.Option(help="DirOrigen.")],
    cmna_origen: Annotated[str, typer.Option(help="CmnaOrigen.")],
    resolution_number: Annotated[int, typer.Option(help="NroResol; 0 in certification.")],
    resolution_date: Day,
    ciudad_origen: Annotated[str | None, typer.Option(help="CiudadOrigen.")] = None,
    telefono: Annotated[str | None, typer.Option(help="Telefono.")] = None,
    correo: Annotated[str | None, typer.Option(help="CorreoEmisor.")] = None,
    sucursal: Annotated[str | None, typer.Option(help="Sucursal.")] = None,
    cdg_sii_sucur: Annotated[str | None, typer.Option(help="CdgSIISucur.")] = None,
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """Add a company, or replace all that is stored of it."""
    with Access() as access:
        row = IssuerRow(
            rut=canonical(rut),
            environment=environment,
            razon_social=razon_social,
            giro=giro,
            acteco=tuple(acteco),
            dir_origen=dir_origen,
            cmna_origen=cmna_origen,
            ciudad_origen=ciudad_origen,
            telefono=telefono,
            correo=correo,
            sucursal=sucursal,
            cdg_sii_sucur=cdg_sii_sucur,
            resolution_number=resolution_number,
            resolution_date=resolution_date.date(),
        )
        new = access.enrolment().add_issuer(row)
    _done(as_json, {"issuer": row.rut, "environment": environment, "new": new}, f"{row.rut}@{environment}", new=new)


@issuer.command("list")
def issuer_list(as_json: Json = False) -> None:
    """Companies with their resolution and who may sign for them."""
    with Access() as access, access.ledger.transaction() as tx:
        found = rows.issuer_list(tx)
    if as_json:
        for row in found:
            write_json(row)
        return
    table(
        ["RUT", "environment", "razón social", "#resolution", "of", "may sign", "certificate until"],
        [
            (
                row["rut"],
                row["environment"],
                row["razon_social"],
                row["resolution_number"],
                row["resolution_date"],
                row["people"],
                row["certificate_until"],
            )
            for row in found
        ],
    )


@issuer.command("set-resolution")
def issuer_set_resolution(
    rut: Rut,
    resolution_number: Annotated[int, typer.Option(help="NroResol; 0 in certification.")],
    resolution_date: Day,
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """Replace a company's resolution; the next envelope states it. Then `fmgo envelope release` what was refused."""
    day = resolution_date.date()
    with Access() as access:
        access.enrolment().set_resolution(canonical(rut), environment, resolution_number, day)
    fact = {"issuer": canonical(rut), "environment": environment, "number": resolution_number, "date": day}
    _done(as_json, fact, f"{canonical(rut)}@{environment}: resolution {resolution_number} of {day}", new=False)


@branch.command("add")
def branch_add(
    rut: Rut,
    code: Annotated[str, typer.Argument(help="What jobs call it (their member `branch`).", metavar="CODE")],
    sucursal: Annotated[str, typer.Option(help="Sucursal.")],
    dir_origen: Annotated[str, typer.Option(help="DirOrigen.")],
    cmna_origen: Annotated[str, typer.Option(help="CmnaOrigen.")],
    ciudad_origen: Annotated[str | None, typer.Option(help="CiudadOrigen.")] = None,
    cdg_sii_sucur: Annotated[str | None, typer.Option(help="CdgSIISucur.")] = None,
    till: Annotated[list[str] | None, typer.Option(help="A till of the branch; repeats.")] = None,
    environment: Environment = "certification",
    as_json: Json = False,
) -> None:
    """Add a branch of a company, or replace its address; its tills are added to those known."""
    with Access() as access:
        row = BranchRow(
            issuer=canonical(rut),
            environment=environment,
            code=code,
            sucursal=sucursal,
            cdg_sii_sucur=cdg_sii_sucur,
            dir_origen=dir_origen,
            cmna_origen=cmna_origen,
            ciudad_origen=ciudad_origen,
            tills=tuple(till or ()),
        )
        new = access.enrolment().add_branch(row)
    fact = {"issuer": row.issuer, "environment": environment, "branch": code, "new": new}
    _done(as_json, fact, f"branch {code} of {row.issuer}@{environment}", new=new)


@person.command("add")
def person_add(
    rut: Rut,
    name: Annotated[str, typer.Argument(help="Name of the person.", metavar="NAME")],
    acting_for: For = None,
    as_json: Json = False,
) -> None:
    """Add a person, or replace the name, and say for whom the person may act."""
    with Access() as access:
        new = access.enrolment().add_person(canonical(rut), name, companies(acting_for))
    _done(as_json, {"person": canonical(rut), "new": new}, f"{canonical(rut)} {name}", new=new)


@certificate.command("add")
def certificate_add(
    file: Annotated[
        Path, typer.Argument(help="PFX, or PEM with key and certificate (- for standard input).", metavar="FILE")
    ],
    password_file: PasswordFile = None,
    acting_for: For = None,
    as_json: Json = False,
) -> None:
    """Add a person's certificate; its private key is sealed in the ledger. The person is added if unknown."""
    with Access() as access:
        data = read_file(file)
        secret = password_for(data, password_file)
        added = access.enrolment().add_certificate(data, secret, companies(acting_for))
    fact = {
        "certificate": added.id,
        "person": added.person,
        "name": added.name,
        "until": added.not_after,
        "new": added.new,
    }
    _done(
        as_json, fact, f"certificate of {added.name} ({added.person}), in force until {added.not_after}", new=added.new
    )


@certificate.command("list")
def certificate_list(as_json: Json = False) -> None:
    """Certificates, whose they are and for whom they act."""
    with Access() as access, access.ledger.transaction() as tx:
        found = rows.certificate_list(tx)
    if as_json:
        for row in found:
            write_json(row)
        return
    table(
        ["id", "person", "name", "from", "until", "for"],
        [(r["id"], r["person"], r["name"], r["not_before"], r["not_after"], r["companies"]) for r in found],
    )


@caf.command("add")
def caf_add(
    file: Annotated[
        Path, typer.Argument(help="The CAF as the SII gave it out (- for standard input).", metavar="FILE")
    ],
    issuer_rut: Annotated[
        str | None, typer.Option("--issuer", help="The company that must be the CAF's own.", metavar="RUT")
    ] = None,
    environment: Environment = "certification",
    first_free: Annotated[
        int | None, typer.Option("--next", help="First folio to use, where earlier ones are used already.")
    ] = None,
    used: Annotated[
        str | None, typer.Option("--used", help="Folios that are used already, e.g. 10-57,61; none is given.")
    ] = None,
    reserve: Annotated[int, typer.Option(help="Folios of the range that only interactive sales may use.")] = 0,
    branch_code: Annotated[str | None, typer.Option("--branch", help="The branch that it is kept for.")] = None,
    trust_caf_key: CaFKeyOption = None,
    as_json: Json = False,
) -> None:
    """Load folios; its private key is sealed in the ledger. Documents that waited for folios go on."""
    with Access() as access:
        added = access.enrolment(trust_caf_key).add_caf(
            read_file(file),
            environment=environment,
            issuer=None if issuer_rut is None else canonical(issuer_rut),
            first_free=first_free,
            used=ranges_in(used) if used else (),
            reserve=reserve,
            branch=branch_code,
        )
    if not as_json:
        show_problems(added.warnings)
    fact = {
        "caf": added.id,
        "issuer": added.issuer,
        "environment": added.environment,
        "type": added.document_type,
        "first": added.first,
        "last": added.last,
        "next": added.next,
        "expires_on": added.expires_on,
        "new": added.new,
        "warnings": list(added.warnings),
    }
    folios = f"folios {amount(added.first)} to {amount(added.last)} of type {added.document_type}"
    until = f", until {added.expires_on}" if added.expires_on else ""
    _done(as_json, fact, f"{folios} for {added.issuer}@{added.environment}{until}", new=added.new)


@caf.command("list")
def caf_list(
    issuer_rut: Annotated[str | None, typer.Option("--issuer", help="Only this company's.", metavar="RUT")] = None,
    environment: EnvironmentFilter = None,
    as_json: Json = False,
) -> None:
    """Ranges of folios and what is left of them."""
    with Access() as access, access.ledger.transaction() as tx:
        found = rows.caf_list(tx, None if issuer_rut is None else canonical(issuer_rut), environment)
    if as_json:
        for row in found:
            write_json(row)
        return
    table(
        [
            "#id",
            "issuer",
            "environment",
            "#type",
            "#first",
            "#last",
            "#next",
            "#left",
            "expires",
            "authorised",
            "#reserve",
        ],
        [
            (
                row["id"],
                row["issuer"],
                row["environment"],
                row["document_type"],
                row["first"],
                row["last"],
                row["next"],
                row["folios_left"],
                row["expires_on"],
                row["authorised_on"],
                row["reserve"] or None,
            )
            for row in found
        ],
    )


def _done(as_json: bool, fact: dict[str, object], sentence: str, *, new: bool) -> None:
    if as_json:
        write_json(fact)
    else:
        say(f"{'added' if new else 'stored'}: {sentence}")
    raise typer.Exit(DONE)
