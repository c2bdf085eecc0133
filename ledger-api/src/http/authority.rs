//! Which scope lets a key post which kind of transaction, and which classes of accounts it may
//! move by it. docs/api.md shows the table.

use ledger_core::{
    chart::{Authority, PostingClass},
    command::Approval,
    posting::Kind,
};

use super::{Problem, approval::Approver, auth::Require as _, codes, wire::check_words, writer};
use crate::identity::{Caller, Scope};

use writer::Permission;

const REASON_CHARS_MAX: usize = 200;

/// Why a correction by hand is right, as the request says it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// Why.
    pub(crate) reason: Option<&'a str>,
    /// SHA-256 of the evidence.
    pub(crate) sha256: Option<&'a str>,
}

/// Accounts of class `open` only.
pub(crate) fn open_only() -> Authority {
    Authority::of(&[PostingClass::Open])
}

/// The scope that opens and changes accounts of a class.
pub(crate) fn to_manage(class: PostingClass) -> Scope {
    if class == PostingClass::Open { Scope::LedgerWrite } else { Scope::Admin }
}

/// What `caller` may move by a transaction of `kind`.
pub(crate) fn to_post(
    caller: &Caller,
    kind: &Kind,
    evidence: Evidence<'_>,
    approver: &Approver,
) -> Result<Permission, Problem> {
    use PostingClass::{Clearing, Income, Open, Suspense, Tax};

    if kind.as_str() == Kind::ADJUSTMENT {
        return to_adjust(caller, evidence, approver);
    }
    if evidence.reason.is_some() || evidence.sha256.is_some() {
        let field = if evidence.reason.is_some() { "/reason" } else { "/evidence_sha256" };
        let detail = "Only transactions of kind adjustment have a reason and evidence.";
        return Err(Problem::field(codes::INVALID, field, detail));
    }
    let (scopes, classes): (&[Scope], &[PostingClass]) = match kind.as_str() {
        Kind::REVERSAL => {
            let detail = "Use POST /v1/transactions/{id}/reverse.";
            return Err(Problem::field(codes::KIND_RESERVED, "/kind", detail));
        }
        Kind::REPAYMENT | Kind::WRITE_OFF | Kind::COMPENSATION => {
            let detail = "The ledger makes these itself, or /v1/ops/receivables does.";
            return Err(Problem::field(codes::KIND_RESERVED, "/kind", detail));
        }
        Kind::YEAR_CLOSE | Kind::OPENING => {
            let detail = "A year's close and an import make these.";
            return Err(Problem::field(codes::KIND_RESERVED, "/kind", detail));
        }
        // What banks say is booked by /v1/deposits and /v1/withdrawals: who may ask for those must
        // not be able to say that a bank paid. By hand it is for the ledger's own keys.
        Kind::DEPOSIT => (&[Scope::Admin], &[Open, Clearing, Suspense]),
        Kind::WITHDRAWAL => (&[Scope::Admin], &[Open, Clearing]),
        Kind::FEE => (&[Scope::LedgerWrite], &[Open, Income, Tax]),
        Kind::TRANSFER => (&[Scope::LedgerWrite, Scope::TransfersWrite], &[Open]),
        Kind::PAYMENT => (&[Scope::LedgerWrite, Scope::PaymentsWrite], &[Open]),
        _ => (&[Scope::LedgerWrite], &[Open]),
    };
    caller.require(scopes)?;
    Ok(Authority::of(classes).into())
}

/// A correction by hand: everything, for two people with a reason and evidence.
fn to_adjust(
    caller: &Caller,
    evidence: Evidence<'_>,
    approver: &Approver,
) -> Result<Permission, Problem> {
    caller.require(&[Scope::Admin])?;
    let missing = |field: &str| {
        let detail = "An adjustment has a reason and the SHA-256 of its evidence.";
        Problem::field(codes::INVALID, field, detail)
    };
    let reason = evidence.reason.filter(|reason| !reason.trim().is_empty());
    let reason = reason.ok_or_else(|| missing("/reason"))?;
    check_words(reason, REASON_CHARS_MAX, "/reason")?;
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let sha256 = evidence
        .sha256
        .filter(|text| text.len() == 64 && text.bytes().all(hex))
        .ok_or_else(|| missing("/evidence_sha256"))?;
    Ok(Permission {
        authority: Authority::all(),
        approval: Some(Approval {
            approver: approver.approve(caller)?,
            reason: reason.to_owned(),
            evidence_sha256: sha256.to_owned(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::ScopeSet;

    fn caller(principal: &str, scopes: &[Scope]) -> Caller {
        Caller {
            key_id: "key_1".into(),
            principal: principal.parse().unwrap(),
            scopes: ScopeSet::of(scopes),
            person: None,
            shop: None,
        }
    }

    fn classes(scopes: &[Scope], kind: &str) -> Result<Vec<PostingClass>, u16> {
        let none = Evidence { reason: None, sha256: None };
        let kind = kind.parse().unwrap();
        to_post(&caller("a", scopes), &kind, none, &Approver::none())
            .map(|permission| {
                let covered = |class: &PostingClass| permission.authority.covers(*class);
                PostingClass::ALL.into_iter().filter(covered).collect()
            })
            .map_err(|problem| problem.status())
    }

    #[test]
    fn the_table_of_scopes_and_kinds() {
        use PostingClass::{Clearing, Income, Open, Suspense, Tax};
        use Scope::{
            Admin, DepositsWrite, LedgerWrite, PaymentsWrite, TransfersWrite, WithdrawalsWrite,
        };

        assert_eq!(classes(&[LedgerWrite], "transfer"), Ok(vec![Open]));
        assert_eq!(classes(&[LedgerWrite], "cashback"), Ok(vec![Open]));
        assert_eq!(classes(&[LedgerWrite], "fee"), Ok(vec![Open, Income, Tax]));
        assert_eq!(classes(&[LedgerWrite], "deposit"), Err(403));
        assert_eq!(classes(&[DepositsWrite], "deposit"), Err(403));
        assert_eq!(classes(&[WithdrawalsWrite], "withdrawal"), Err(403));
        assert_eq!(classes(&[Admin], "deposit"), Ok(vec![Open, Clearing, Suspense]));
        assert_eq!(classes(&[Admin], "withdrawal"), Ok(vec![Open, Clearing]));
        assert_eq!(classes(&[TransfersWrite], "transfer"), Ok(vec![Open]));
        assert_eq!(classes(&[TransfersWrite], "payment"), Err(403));
        assert_eq!(classes(&[PaymentsWrite], "payment"), Ok(vec![Open]));
        assert_eq!(classes(&[PaymentsWrite], "fee"), Err(403));
        assert_eq!(classes(&Scope::ALL, "reversal"), Err(422));
    }

    #[test]
    fn an_adjustment_takes_a_reason_evidence_and_two_people() {
        let kind = Kind::ADJUSTMENT.parse().unwrap();
        let sha256 = "ab".repeat(32);
        let evidence = Evidence { reason: Some("Bank error of 12 Nov"), sha256: Some(&sha256) };
        let admin = caller("asha", &[Scope::Admin]);
        let try_with = |evidence, approver: &Approver| {
            to_post(&admin, &kind, evidence, approver).map_err(|problem| problem.code().to_owned())
        };
        let second = Approver::of(caller("ravi", &[Scope::OpsApprove]));
        let permission = try_with(evidence, &second).unwrap_or_else(|code| panic!("{code}"));
        assert_eq!(permission.authority, Authority::all());
        assert_eq!(permission.approval.unwrap().approver.as_str(), "ravi");

        let refused = [
            (evidence, Approver::none(), "second_person_needed"),
            (evidence, Approver::of(caller("asha", &[Scope::OpsApprove])), "second_person_needed"),
            (evidence, Approver::of(caller("ravi", &[Scope::Admin])), "second_person_needed"),
            (Evidence { reason: None, ..evidence }, second.clone(), "invalid"),
            (Evidence { sha256: Some("AB"), ..evidence }, second.clone(), "invalid"),
        ];
        for (evidence, approver, code) in refused {
            assert_eq!(try_with(evidence, &approver).err().as_deref(), Some(code));
        }
        let weak = caller("asha", &[Scope::LedgerWrite]);
        let problem = to_post(&weak, &kind, evidence, &second).err().unwrap();
        assert_eq!(problem.code(), "forbidden");
    }
}
