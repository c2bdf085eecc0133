//! hledger, ledger and beancount read our journals and come to our balances.

use std::{
    collections::BTreeMap,
    env,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use projections::audit::{self, Days, Format, Options, Until};
use rust_decimal::Decimal;
use tempfile::TempDir;

use super::scene::{Scene, date};

/// By account, in the program's words, and currency: debits less credits, if they are not the same.
type Balances = BTreeMap<(String, String), Decimal>;

/// A program of the search path; nothing, and a word about it, if it may be missing.
fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        let required = env::var("BAHI_ACCOUNTING").is_ok_and(|said| said == "required")
            || env::var_os("CI").is_some();
        assert!(!required, "no {name}: tests/setup/accounting.sh");
        let said =
            format!("NO {name}: its reading of journals is SKIPPED (tests/setup/accounting.sh)\n");
        std::io::stderr().write_all(said.as_bytes()).ok();
    }
    found
}

fn run(program: &Path, arguments: &[&str]) -> String {
    let ended = Command::new(program).args(arguments).output().expect("it starts");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{} {arguments:?}: {said}", program.display());
    String::from_utf8(ended.stdout).unwrap()
}

/// Writes the journal of a scene's log, and of its export, which must be the same.
async fn journal(scene: &Scene, format: Format, folder: &TempDir) -> PathBuf {
    let mut text = Vec::new();
    let summary = audit::export_journal(&scene.pool, format, &mut text, |_| ()).await.unwrap();
    assert!(summary.transactions > 10 && summary.accounts > 20, "{summary:?}");
    let mut export = Vec::new();
    audit::export(&scene.pool, &mut export, |_| ()).await.unwrap();
    let mut converted = Vec::new();
    let again = audit::convert_journal(&export[..], format, &mut converted, |_| ()).unwrap();
    assert_eq!((again, &converted), (summary, &text), "an export has the same journal");
    let lines: Vec<&[u8]> = export.split_inclusive(|byte| *byte == b'\n').collect();
    let cut = lines[..lines.len() - 1].concat();
    let cut = audit::convert_journal(&cut[..], format, Vec::new(), |_| ());
    assert!(matches!(cut, Err(audit::AuditError::Cut)), "{cut:?}");
    let file = folder.path().join("books.journal");
    std::fs::write(&file, text).unwrap();
    file
}

/// Our balances, under the names that `name` gives accounts.
async fn ours(scene: &Scene, days: Option<Days>, name: impl Fn(&str, &str) -> String) -> Balances {
    let question = Some((Until::End, days));
    let replay =
        audit::replay_database(&scene.pool, &Options::default(), question, |_| ()).await.unwrap();
    let mut balances = Balances::new();
    for account in replay.accounts {
        let (code, currency) = account.account.rsplit_once(':').unwrap();
        let net = account.debits - account.credits;
        if !net.is_zero() {
            let name = name(account.account_type.as_str(), code);
            balances.insert((name, currency.to_owned()), net.normalize());
        }
    }
    assert!(balances.len() > 8, "{balances:?}");
    balances
}

/// The names of hledger and ledger.
fn plain(account_type: &str, code: &str) -> String {
    let root = match account_type {
        "asset" => "assets",
        "liability" => "liabilities",
        "expense" => "expenses",
        other => other,
    };
    format!("{root}:{code}")
}

/// Cells of simple CSV, some of them in quotes.
fn cells(line: &str) -> Vec<String> {
    line.split(',').map(|cell| cell.trim().trim_matches('"').to_owned()).collect()
}

const CURRENCIES: [&str; 4] = ["INR", "JPY", "KWD", "BTC"];

#[tokio::test(flavor = "multi_thread")]
async fn hledger_comes_to_our_balances_on_any_day() {
    let Some(hledger) = program("hledger") else { return };
    let (scene, folder) = (Scene::full().await, TempDir::new().unwrap());
    let file = journal(&scene, Format::Hledger, &folder).await;
    let file = file.to_str().unwrap();
    run(&hledger, &["-f", file, "check", "accounts", "balancednoautoconversion"]);
    for end in [None, Some("2026-11-20")] {
        let mut theirs = Balances::new();
        for currency in CURRENCIES {
            let query = format!("cur:{currency}");
            let mut asked =
                vec!["-f", file, "balance", "--flat", "--no-total", "-O", "csv", &query];
            // hledger's ends are not included.
            let day_after = end.map(|day| (date(day) + chrono::Days::new(1)).to_string());
            if let Some(day_after) = &day_after {
                asked.extend(["-e", day_after]);
            }
            for line in run(&hledger, &asked).lines().skip(1) {
                let [account, amount] = &cells(line)[..] else { panic!("{line}") };
                let amount = amount.split(' ').next().unwrap();
                theirs.insert((account.clone(), currency.to_owned()), number(amount));
            }
        }
        let days = end.map(|day| Days { from: None, to: date(day), without_closings: false });
        assert_eq!(theirs, ours(&scene, days, plain).await, "{end:?}");
    }
    // The kinds of its accounts are known to it.
    let sheet = run(&hledger, &["-f", file, "balancesheet", "-O", "csv", "cur:JPY"]);
    assert!(sheet.contains("assets:till:main") && sheet.contains("liabilities:wallet:asha"));
}

fn number(text: &str) -> Decimal {
    text.parse::<Decimal>().unwrap_or_else(|_| panic!("{text}")).normalize()
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_comes_to_our_balances() {
    let Some(ledger) = program("ledger") else { return };
    let (scene, folder) = (Scene::full().await, TempDir::new().unwrap());
    let file = journal(&scene, Format::Ledger, &folder).await;
    let mut theirs = Balances::new();
    for currency in CURRENCIES {
        let limit = format!("commodity == \"{currency}\"");
        let asked = [
            "--file",
            file.to_str().unwrap(),
            "balance",
            "--flat",
            "--no-total",
            "--limit",
            &limit,
            "--balance-format",
            "%(account)\t%(quantity(display_total))\n",
        ];
        for line in run(&ledger, &asked).lines() {
            let (account, amount) = line.split_once('\t').unwrap_or_else(|| panic!("{line}"));
            theirs.insert((account.to_owned(), currency.to_owned()), number(amount));
        }
    }
    assert_eq!(theirs, ours(&scene, None, plain).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn beancount_finds_nothing_wrong_and_comes_to_our_balances() {
    let (Some(check), Some(query)) = (program("bean-check"), program("bean-query")) else { return };
    let (scene, folder) = (Scene::full().await, TempDir::new().unwrap());
    let file = journal(&scene, Format::Beancount, &folder).await;
    let file = file.to_str().unwrap();
    assert_eq!(run(&check, &[file]), "");
    let sums = "select account, currency, str(sum(number)) as sum group by account, currency";
    let mut theirs = Balances::new();
    for line in run(&query, &["-f", "csv", file, sums]).lines().skip(1) {
        let [account, currency, sum] = &cells(line)[..] else { panic!("{line}") };
        // Plain sums are shown with the decimals that most amounts have.
        let sum = number(sum.trim_start_matches("Decimal('").trim_end_matches("')"));
        if !sum.is_zero() {
            theirs.insert((account.clone(), currency.clone()), sum);
        }
    }
    let name = |account_type: &str, code: &str| {
        let root = match account_type {
            "asset" => "Assets",
            "liability" => "Liabilities",
            "income" => "Income",
            "expense" => "Expenses",
            _ => "Equity",
        };
        let mut name = root.to_owned();
        for segment in code.split(':') {
            let escaped = segment.replace('-', "-D-").replace('.', "-P-").replace('_', "-");
            let (first, rest) = escaped.split_at(1);
            name.extend([":", &first.to_uppercase(), rest]);
        }
        name
    };
    assert_eq!(theirs, ours(&scene, None, name).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_as_csv_sum_to_our_balances() {
    let (scene, folder) = (Scene::full().await, TempDir::new().unwrap());
    let file = journal(&scene, Format::Csv, &folder).await;
    let text = std::fs::read_to_string(file).unwrap();
    let columns: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let place = |name| columns.iter().position(|column| *column == name).unwrap();
    let mut theirs = Balances::new();
    for line in text.lines().skip(1) {
        // Items, which alone can have commas, stand behind all that is looked at here.
        let cells: Vec<&str> = line.split(',').collect();
        let amount = |name| match cells[place(name)] {
            "" => Decimal::ZERO,
            text => number(text),
        };
        let name = plain(cells[place("type")], cells[place("account")]);
        let sum = theirs.entry((name, cells[place("currency")].to_owned())).or_default();
        *sum = (*sum + amount("debit") - amount("credit")).normalize();
    }
    theirs.retain(|_, sum| !sum.is_zero());
    assert_eq!(theirs, ours(&scene, None, plain).await);
    assert!(text.contains("\"dep,8\"") && text.contains("\"dep_\"\"quoted\"\"\\7\""));
}
