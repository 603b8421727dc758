"""One Xero organisation."""

from dataclasses import dataclass, field
from datetime import date

from sandbox.instants import MINUTE_MS
from sandbox.xero.accounts import AccountBook
from sandbox.xero.contacts import ContactBook
from sandbox.xero.ledger import Ledger
from sandbox.xero.limits import TenantLimits
from sandbox.xero.notation import date_json, instant_json

_CURRENCY_NAMES = {
    "EUR": "Euro",
    "USD": "United States Dollar",
    "GBP": "British Pound",
    "CHF": "Swiss Franc",
    "SEK": "Swedish Krona",
    "AUD": "Australian Dollar",
    "NZD": "New Zealand Dollar",
    "JPY": "Japanese Yen",
}


def currency_name(code: str) -> str:
    """The currency's English name, or its code."""
    return _CURRENCY_NAMES.get(code, code)


@dataclass(slots=True)
class Tenant:
    """A Xero organisation's books and what it allows; `type` is ORGANISATION but for an adviser's practice."""

    id: str
    name: str
    type: str
    short_code: str
    base_currency: str
    country_code: str
    version: str
    timezone: str
    plan: str
    multi_currency: bool
    created_ms: int
    limits: TenantLimits
    accounts: AccountBook
    currencies: list[str]
    period_lock_date: date | None = None
    end_of_year_lock_date: date | None = None
    contacts: ContactBook = field(default_factory=ContactBook)
    ledger: Ledger = field(default_factory=Ledger)

    def organisation(self) -> dict[str, object]:
        """The one element of GET /Organisation; lock dates only when set."""
        content: dict[str, object] = {
            "Name": self.name,
            "LegalName": self.name,
            "PaysTax": True,
            "Version": self.version,
            "OrganisationType": "COMPANY",
            "BaseCurrency": self.base_currency,
            "CountryCode": self.country_code,
            "IsDemoCompany": False,
            "OrganisationStatus": "ACTIVE",
            "TaxNumber": "",
            "FinancialYearEndDay": 31,
            "FinancialYearEndMonth": 12,
            "SalesTaxBasis": "ACCRUALS",
            "SalesTaxPeriod": "QUARTERLY",
            "DefaultSalesTax": "Tax Exclusive",
            "DefaultPurchasesTax": "Tax Exclusive",
            "CreatedDateUTC": instant_json(self.created_ms),
            "OrganisationEntityType": "COMPANY",
            "Timezone": self.timezone,
            "ShortCode": self.short_code,
            "OrganisationID": self.id,
            "Edition": "BUSINESS",
            "Class": self.plan,
            "Addresses": [],
            "Phones": [],
            "ExternalLinks": [],
            "PaymentTerms": {},
        }
        if self.period_lock_date:
            content["PeriodLockDate"] = date_json(self.period_lock_date)
        if self.end_of_year_lock_date:
            content["EndOfYearLockDate"] = date_json(self.end_of_year_lock_date)
        return content


def window_offset_ms(tenant_id: str) -> int:
    """Where a tenant's rate windows begin: each at its own time."""
    return int(tenant_id[:8], 16) % MINUTE_MS
