//! Tables that fit a terminal: names give way first, then the columns that matter least; numbers are never broken, nor is
//! a place before its line.
use super::shown::{cut_begin, cut_end};
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use unicode_width::UnicodeWidthStr;

/// What names are left at least before columns are given up.
const LEAST_NAME: usize = 24;
/// What names are left at least where no column can be given up.
const SHORTEST_NAME: usize = 12;
/// Blanks beside the content of a cell.
const PADDING: usize = 2;

/// A line of a name: what is cut off where it is too long.
pub(crate) enum Name {
    /// Its end.
    Text(String),
    /// Its begin, since the end is the line.
    Place(String),
}

impl Name {
    fn fitted(&self, width: usize) -> String {
        match self {
            Name::Text(text) => cut_end(text, width),
            Name::Place(place) => cut_begin(place, width),
        }
    }

    fn width(&self) -> usize {
        let (Name::Text(text) | Name::Place(text)) = self;
        text.width()
    }
}

/// A column of numbers.
pub(crate) struct Column {
    /// Above it.
    pub(crate) name: &'static str,
    /// Columns with greater ranks are given up first; those of rank 0 stay.
    pub(crate) rank: u8,
    /// One for each row.
    pub(crate) cells: Vec<String>,
}

impl Column {
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.width());
        // A blank behind it, and one between columns.
        cells.chain([self.name.width()]).max().unwrap_or(0) + PADDING
    }
}

/// A table: for each row the lines of its name, then its numbers.
pub(crate) fn render(width: usize, header: &str, names: &[Vec<Name>], mut columns: Vec<Column>) -> String {
    let widest = names.iter().flatten().map(Name::width).chain([header.width()]).max().unwrap_or(0);
    let numbers = |columns: &[Column]| columns.iter().map(Column::width).sum::<usize>() + PADDING;
    while numbers(&columns) + widest.min(LEAST_NAME) > width {
        let most = columns.iter().map(|column| column.rank).max().unwrap_or(0);
        if most == 0 {
            break;
        }
        columns.retain(|column| column.rank < most);
    }
    let left = widest.min(width.saturating_sub(numbers(&columns)).max(SHORTEST_NAME));
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Disabled);
    let number = |text: &str| Cell::new(text).set_alignment(CellAlignment::Right);
    let head = columns.iter().map(|column| number(column.name));
    table.set_header([Cell::new(header)].into_iter().chain(head));
    for (row, name) in names.iter().enumerate() {
        let name: Vec<String> = name.iter().map(|line| line.fitted(left)).collect();
        let cells = columns.iter().map(|column| number(&column.cells[row]));
        table.add_row([Cell::new(name.join("\n"))].into_iter().chain(cells));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_padding((0, 1));
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::{Column, Name, render};

    #[test]
    fn columns_go_before_names_do() {
        let table = |width| {
            let names = [vec![
                Name::Text("parking_lot::Mutex of a long name".into()),
                Name::Place("  …/order_service/payment.rs:159".into()),
            ]];
            let column = |name, rank| Column { name, rank, cells: vec!["123.45 ms".into()] };
            let columns = vec![column("used", 0), column("p50", 2), column("max", 1)];
            render(width, "object", &names, columns)
        };
        for width in 30..100 {
            let table = table(width);
            let widest = table.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width, "{width}: {widest}\n{table}");
            assert!(table.contains("payment.rs:159") && table.contains("123.45 ms"), "{width}\n{table}");
        }
        assert!(table(100).contains("p50") && !table(55).contains("p50") && table(55).contains("max"));
        assert!(!table(40).contains("max"));
    }
}
