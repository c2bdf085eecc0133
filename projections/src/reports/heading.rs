//! The heading under which an account stands in a report: a chart of some dozen lines, whatever the
//! number of wallets.

use ledger_core::chart;

/// The rooms of the chart whose accounts belong to somebody: the one segment that says to whom is
/// left out. By room: which segment, from 0.
const SOMEBODYS: [(&str, usize); 3] = [("wallet", 1), ("merchant", 1), ("receivable", 2)];

/// The heading of an account's code: `wallet:*`, `merchant:*:available`, `bank:hdfc:escrow`. Codes
/// outside the chart stand under their first segment.
pub fn heading(code: &str) -> String {
    let room = code.split(':').next().unwrap_or_default();
    if let Some((_, whose)) = SOMEBODYS.iter().find(|(somebodys, _)| *somebodys == room) {
        let part = |(index, segment)| if index == *whose { "*" } else { segment };
        return code.split(':').enumerate().map(part).collect::<Vec<_>>().join(":");
    }
    let in_chart = code.parse().is_ok_and(|code| chart::is_reserved(&code));
    if in_chart || room == code { code.to_owned() } else { format!("{room}:*") }
}

/// The same as an expression of SQL over a column `code`.
pub(crate) const SQL: &str = "case split_part(code, ':', 1)
    when 'wallet' then regexp_replace(code, '^([^:]*):[^:]*', '\\1:*')
    when 'merchant' then regexp_replace(code, '^([^:]*):[^:]*', '\\1:*')
    when 'receivable' then regexp_replace(code, '^([^:]*:[^:]*):[^:]*', '\\1:*')
    when 'bank' then code when 'withdrawals' then code when 'fees' then code
    when 'returns' then code when 'refunds' then code when 'suspense' then code
    when 'disputes' then code when 'treasury' then code when 'income' then code
    when 'tax' then code when 'expense' then code when 'equity' then code
    when 'migration' then code
    else case when strpos(code, ':') = 0 then code else split_part(code, ':', 1) || ':*' end end";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_an_account_is_is_left_out() {
        for (code, expected) in [
            ("wallet:asha", "wallet:*"),
            ("merchant:chai:available", "merchant:*:available"),
            ("receivable:recall:asha", "receivable:recall:*"),
            ("bank:hdfc:escrow", "bank:hdfc:escrow"),
            ("income:fees", "income:fees"),
            ("till:7", "till:*"),
            ("till:7:float", "till:*"),
            ("float", "float"),
        ] {
            assert_eq!(heading(code), expected);
        }
    }
}
