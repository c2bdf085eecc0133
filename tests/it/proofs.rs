//! Signed checkpoints of a real log: they are made beside it and outlive it; a log that was cut,
//! rewritten or forked gets no signature and no witness's word; what is handed out is checked by
//! whoever has the key.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use ledger_api::{
    identity::Scope,
    proofs::{
        CheckpointMaker, MakeError, ProofSettings, ProofStore, Witness, consistency_of,
        key_in_force, proof_of, read_key,
    },
    setup::write_private,
    witness::{self, WitnessBook},
};
use ledger_core::{book::CheckpointKeyRotated, command::Operation};
use projections::audit::{
    self, Code, Options,
    proof::{
        LogKey, ProofFile, SignedCheckpoint, Signer, WitnessKey, rotation_message,
        verify_consistency,
    },
};
use reqwest::StatusCode;
use tokio::net::TcpListener;

use crate::support::{bahi::TestBahi, database::Database, ledger::Ledger};

/// A ledger, and what signs its checkpoints.
struct Signing {
    ledger: Ledger,
    folder: tempfile::TempDir,
    settings: ProofSettings,
}

impl Signing {
    async fn start() -> Self {
        Self::of(Ledger::start().await)
    }

    fn of(ledger: Ledger) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = ProofSettings { every: Duration::ZERO, ..ProofSettings::new(folder.path()) };
        Self { ledger, folder, settings }
    }

    async fn maker(&self) -> CheckpointMaker {
        CheckpointMaker::new(self.ledger.database.pool().await, self.settings.clone())
    }

    async fn sign(&self) -> Result<Option<SignedCheckpoint>, MakeError> {
        self.maker().await.make().await
    }

    async fn signed(&self) -> SignedCheckpoint {
        self.sign().await.unwrap().expect("the log has grown")
    }

    async fn store(&self) -> ProofStore {
        ProofStore::new(self.ledger.database.pool().await)
    }

    fn key(&self) -> LogKey {
        read_key(&self.settings.key_file).unwrap().public()
    }

    /// Appends some hundred events.
    async fn grow(&self, wallet: &str) {
        self.ledger.wallet(wallet, "1000.00").await;
        for _ in 0..150 {
            self.ledger.transfer(wallet, "till:main:INR", "1.00").await.unwrap();
        }
    }

    async fn export(&self) -> String {
        let mut text = Vec::new();
        audit::export(&self.ledger.database.pool().await, &mut text, |_| {}).await.unwrap();
        String::from_utf8(text).unwrap()
    }
}

fn check(text: &str, notes: Vec<SignedCheckpoint>, keys: Vec<LogKey>) -> audit::Report {
    let options = Options { notes, keys, ..Options::default() };
    audit::verify_export(text.as_bytes(), &options, |_| {}).unwrap()
}

/// Lets `sql` happen behind the triggers' back.
async fn tamper(database: &Database, sql: &str) {
    let mut db = database.superuser().await;
    let sql = format!(
        "alter table events disable trigger all; alter table batches disable trigger all;
         alter table checkpoints disable trigger all; alter table proof_tiles disable trigger all;
         alter table checkpoint_cosignatures disable trigger all; {sql}"
    );
    sqlx::raw_sql(&sql).execute(&mut db).await.unwrap();
}

#[tokio::test]
async fn checkpoints_go_on_from_each_other_and_every_event_is_proven_under_each() {
    let signing = Signing::start().await;
    let mut notes = Vec::new();
    for wallet in ["wallet:a:INR", "wallet:b:INR", "wallet:c:INR"] {
        signing.grow(wallet).await;
        notes.push(signing.signed().await);
        assert!(signing.sign().await.unwrap().is_none(), "nothing has happened since");
    }
    let (store, key) = (signing.store().await, signing.key());
    for note in &notes {
        assert!(note.is_signed_by(key) && note.origin().starts_with("bahi/"));
        for position in [1, 2, note.size() / 2, note.size() - 1, note.size()] {
            let proof = proof_of(&store, position, note).await.unwrap().unwrap();
            let again = ProofFile::from_json(&serde_json::to_vec(&proof).unwrap()).unwrap();
            assert_eq!(again.check(&[key], &[]).unwrap(), *note);
        }
        assert!(proof_of(&store, note.size() + 1, note).await.unwrap().is_none());
        assert!(proof_of(&store, 0, note).await.unwrap().is_none());
    }
    for (old, new) in [(0, 1), (0, 2), (1, 2), (2, 2)] {
        let (old, new) = (&notes[old], &notes[new]);
        let proof = consistency_of(&store, old.size(), new.size()).await.unwrap();
        let sizes = ((old.size(), old.root()), (new.size(), new.root()));
        assert!(verify_consistency(sizes.0, sizes.1, &proof));
    }
    // An auditor with a file and a key comes to the same; so does the check of the database.
    let report = check(&signing.export().await, notes, vec![key]);
    assert!(report.verified && report.notes.len() == 3, "{report}");
    let options = Options { read_models: false, ..Options::default() };
    let pool = signing.ledger.database.pool().await;
    let report = audit::verify_database(&pool, &options, |_| {}).await.unwrap();
    assert!(report.verified, "{report}");
    let tiles: i64 =
        sqlx::query_scalar("select count(*) from proof_tiles").fetch_one(&pool).await.unwrap();
    assert!(tiles >= 3, "{tiles}");
}

#[tokio::test]
async fn a_folder_that_was_lost_goes_on_and_a_database_that_was_lost_does_not() {
    let signing = Signing::start().await;
    signing.grow("wallet:a:INR").await;
    let first = signing.signed().await;
    std::fs::remove_dir_all(&signing.settings.folder).unwrap();
    signing.ledger.wallet("wallet:b:INR", "1.00").await;
    let second = signing.signed().await;
    assert!(second.size() > first.size());
    // Another log under the same folder and key.
    let other = Signing {
        ledger: Ledger::start().await,
        folder: tempfile::tempdir().unwrap(),
        settings: signing.settings.clone(),
    };
    other.ledger.wallet("wallet:x:INR", "1.00").await;
    let refused = other.sign().await.unwrap_err();
    assert!(matches!(refused, MakeError::Shorter { .. }), "{refused}");
    other.grow("wallet:y:INR").await;
    other.grow("wallet:z:INR").await;
    let refused = other.sign().await.unwrap_err();
    assert!(matches!(refused, MakeError::OtherOrigin { .. }), "{refused}");
    let settings = ProofSettings { origin: Some(first.origin().to_owned()), ..other.settings };
    let refused = Signing { settings, ..other }.sign().await.unwrap_err();
    assert!(matches!(refused, MakeError::Rewritten { .. }), "{refused}");
}

#[tokio::test]
async fn case_61_case_174_a_log_that_was_cut_short_gets_no_signature() {
    let signing = Signing::start().await;
    signing.grow("wallet:a:INR").await;
    let note = signing.signed().await;
    // As an older copy would be: tree and checkpoints went with the events.
    tamper(
        &signing.ledger.database,
        "delete from events where position > 20; delete from batches where last_position > 20;
         delete from checkpoints; delete from proof_tiles",
    )
    .await;
    let refused = signing.sign().await.unwrap_err();
    assert!(matches!(refused, MakeError::Shorter { seen, .. } if seen == note.size()), "{refused}");
    let report = check(&signing.export().await, vec![note], vec![signing.key()]);
    assert!(report.findings.iter().any(|found| found.code == Code::CheckpointAhead), "{report}");
}

#[tokio::test]
async fn case_174_a_log_that_was_rewritten_gets_no_signature_however_well_it_fits() {
    let signing = Signing::start().await;
    signing.grow("wallet:a:INR").await;
    let note = signing.signed().await;
    // Tree and checkpoints are thrown away, and made again by the service itself.
    tamper(
        &signing.ledger.database,
        "update events set metadata = metadata || ' '::bytea where position = 30;
         delete from checkpoints; delete from proof_tiles",
    )
    .await;
    signing.ledger.wallet("wallet:b:INR", "1.00").await;
    let refused = signing.sign().await.unwrap_err();
    assert!(matches!(refused, MakeError::Rewritten { seen } if seen == note.size()), "{refused}");
    let kept = std::fs::read_to_string(signing.settings.folder.join("latest.note")).unwrap();
    assert_eq!(kept, note.to_string(), "what was signed stays");
}

#[tokio::test]
async fn another_key_does_not_sign_until_the_log_says_so() {
    let signing = Signing::start().await;
    signing.grow("wallet:a:INR").await;
    let first = signing.signed().await;
    let seed = [[0x11; 16], [0x22; 16]].concat();
    let next = Signer::of(&seed.clone().try_into().unwrap());
    let old_text = std::fs::read_to_string(&signing.settings.key_file).unwrap();
    let old = read_key(&signing.settings.key_file).unwrap();
    let write = |text: &str| write_private(&signing.settings.key_file, text, true).unwrap();
    let refused = async || {
        signing.ledger.transfer("wallet:a:INR", "till:main:INR", "1.00").await.unwrap();
        let refused = signing.sign().await.unwrap_err();
        assert!(matches!(refused, MakeError::OtherKey { .. }), "{refused}");
    };
    write(&hex::encode(&seed));
    refused().await;

    let rotate = |old: &Signer, new: LogKey| {
        let rotated = CheckpointKeyRotated {
            old_key: old.public().to_bytes(),
            new_key: new.to_bytes(),
            signature: old.sign_bytes(&rotation_message(old.public(), new)).try_into().unwrap(),
        };
        signing.ledger.submit(Operation::RotateCheckpointKey(Box::new(rotated)))
    };
    rotate(&old, next.public()).await.unwrap();
    let pool = signing.ledger.database.pool().await;
    let force = key_in_force(&pool, u64::MAX).await.unwrap().unwrap();
    assert_eq!(force.key, next.public());
    let second = signing.signed().await;
    assert!(second.is_signed_by(next.public()) && !second.is_signed_by(old.public()));
    let answer = rotate(&old, Signer::of(&[6; 32]).public()).await.unwrap();
    let answer = format!("{:?}", answer.outcome);
    assert!(answer.contains("checkpoint_key_differs"), "{answer}");

    write(&old_text);
    refused().await;
    let report = check(&signing.export().await, vec![first, second], vec![old.public()]);
    assert!(report.verified, "{report}");
}

/// A witness of its own, on a free port.
struct Standing {
    url: String,
    key: WitnessKey,
}

async fn witness_of(origin: &str, key: LogKey, folder: &Path) -> Standing {
    let signer = Signer::of(&[9; 32]);
    let key_of_witness = signer.witness("w.example").unwrap();
    let logs = BTreeMap::from([(origin.to_owned(), vec![key])]);
    let file = folder.join("seen.json");
    let book = WitnessBook::open(("w.example".to_owned(), signer), logs, file).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, witness::routes(Arc::new(book))).await });
    Standing { url, key: key_of_witness }
}

#[tokio::test]
async fn case_174_a_witness_signs_what_goes_on_and_not_a_second_version() {
    let mut signing = Signing::start().await;
    signing.grow("wallet:a:INR").await;
    let first = signing.signed().await;
    let standing = witness_of(first.origin(), signing.key(), signing.folder.path()).await;
    let asked = Witness { url: standing.url.parse().unwrap(), key: standing.key.clone() };
    signing.settings.witnesses = vec![asked.clone()];
    let store = signing.store().await;
    let witnesses = ledger_api::proofs::Witnesses::new(vec![asked.clone()]);
    let mut note = first.clone();
    assert!(witnesses.cosign(&store, &mut note).await.unwrap());
    assert!(note.cosigned_at(&standing.key).is_some());
    let stored = store.last().await.unwrap().unwrap();
    assert_eq!((stored.note, stored.witnesses), (note, vec!["w.example".to_owned()]));

    signing.grow("wallet:b:INR").await;
    let mut second = signing.signed().await;
    // The ledger forgot how far the witness was: it is told and asks again.
    tamper(&signing.ledger.database, "delete from checkpoint_cosignatures").await;
    assert!(witnesses.cosign(&store, &mut second).await.unwrap());
    let proof = proof_of(&store, 40, &second).await.unwrap().unwrap();
    proof.check(&[signing.key()], std::slice::from_ref(&standing.key)).unwrap();

    // Somebody else is shown another log of the same name, signed by the same key.
    let fork = Signing::start().await;
    fork.grow("wallet:a:INR").await;
    fork.grow("wallet:b:INR").await;
    fork.grow("wallet:c:INR").await;
    let settings = ProofSettings {
        key_file: signing.settings.key_file.clone(),
        origin: Some(first.origin().to_owned()),
        ..fork.settings.clone()
    };
    let fork = Signing { settings, ..fork };
    let mut shown = fork.signed().await;
    assert!(shown.is_signed_by(signing.key()) && shown.origin() == first.origin());
    let again = ledger_api::proofs::Witnesses::new(vec![asked]);
    assert!(!again.cosign(&fork.store().await, &mut shown).await.unwrap());
    assert!(shown.cosigned_at(&standing.key).is_none());
}

#[tokio::test]
async fn checkpoints_and_proofs_are_handed_out() {
    let bahi = TestBahi::spawn().await;
    let till = bahi.admin().await;
    till.wallet("wallet:asha:INR", "10.00").await;
    let auditor = bahi.actor("auditor", &[Scope::AuditRead]).await;
    let none = auditor.get("/v1/audit/checkpoints/latest").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    assert_eq!(auditor.get("/v1/audit/proofs/1").await.status, StatusCode::NOT_FOUND);

    let ledger = Ledger { database: bahi.database.clone(), engine: bahi.engine.clone() };
    let signing = Signing::of(ledger);
    let first = signing.signed().await;
    till.wallet("wallet:ravi:INR", "10.00").await;
    let last = signing.signed().await;
    let latest = auditor.get("/v1/audit/checkpoints/latest").await;
    assert_eq!(latest.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(latest.text, last.to_string());
    let earlier = auditor.get(&format!("/v1/audit/checkpoints/{}", first.size())).await;
    assert_eq!(SignedCheckpoint::parse(&earlier.text).unwrap(), first);

    let page = auditor.get("/v1/audit/checkpoints?limit=1").await.json();
    assert_eq!(page["data"][0]["size"], last.size());
    assert_eq!(page["data"][0]["public_key"], signing.key().hex());
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = auditor.get(&format!("/v1/audit/checkpoints?limit=1&cursor={cursor}")).await.json();
    assert_eq!(
        (&page["data"][0]["size"], &page["has_more"]),
        (&first.size().into(), &false.into())
    );

    for (path, of) in [("3", &last), (&*format!("3?size={}", first.size()), &first)] {
        let proof = auditor.get(&format!("/v1/audit/proofs/{path}")).await;
        let proof = ProofFile::from_json(proof.text.as_bytes()).unwrap();
        assert_eq!(proof.event.position, 3);
        assert_eq!(proof.check(&[signing.key()], &[]).unwrap(), *of);
    }
    let path = format!("/v1/audit/consistency?from={}&to={}", first.size(), last.size());
    let answer = auditor.get(&path).await.json();
    let hashes = answer["path"].as_array().unwrap().iter();
    let hash = |hash: &serde_json::Value| hex::decode(hash.as_str().unwrap()).unwrap();
    let proof: Vec<[u8; 32]> = hashes.map(|text| hash(text).try_into().unwrap()).collect();
    assert!(verify_consistency((first.size(), first.root()), (last.size(), last.root()), &proof));

    for (path, status) in [
        ("/v1/audit/proofs/0", 404),
        ("/v1/audit/proofs/1000000", 404),
        ("/v1/audit/proofs/1?size=2", 404),
        ("/v1/audit/proofs/x", 404),
        ("/v1/audit/checkpoints/x", 404),
        ("/v1/audit/checkpoints/2", 404),
        ("/v1/audit/consistency", 422),
        ("/v1/audit/consistency?from=1", 404),
        ("/v1/audit/consistency?from=9&to=1", 422),
        ("/v1/audit/consistency?from=1&to=2", 404),
        ("/v1/audit/proofs/1?size=-1", 422),
    ] {
        assert_eq!(auditor.get(path).await.status.as_u16(), status, "{path}");
    }
    for path in ["/v1/audit/checkpoints", "/v1/audit/checkpoints/latest", "/v1/audit/proofs/1"] {
        let writer = bahi.actor("writer", &[Scope::LedgerWrite]).await;
        assert_eq!(writer.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    bahi.finish().await;
}
