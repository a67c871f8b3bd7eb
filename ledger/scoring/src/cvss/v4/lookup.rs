//! The scores of the 270 MacroVectors (CVSS 4.0 specification, section 8.3; FIRST's published table).

use crate::model::ScoreTenths;

/// No MacroVector has EQ3 = 2 and EQ6 = 0: without a high impact none can be weighed as high.
const NONE: u8 = 255;

/// Tenths. One row for each EQ1, EQ2, EQ3; in it EQ4, EQ5, EQ6, the last moving fastest.
#[rustfmt::skip]
const TABLE: [[u8; 18]; 18] = [
    [100, 99, 98, 95, 95, 92, 100, 96, 93, 87, 91, 81, 93, 90, 89, 80, 81, 68], // 0 0 0
    [98, 95, 95, 92, 90, 84, 93, 92, 89, 81, 81, 65, 88, 80, 78, 70, 69, 48], // 0 0 1
    [NONE, 92, NONE, 82, NONE, 72, NONE, 79, NONE, 69, NONE, 50, NONE, 69, NONE, 55, NONE, 27], // 0 0 2
    [99, 97, 95, 92, 92, 85, 95, 91, 90, 83, 84, 71, 92, 81, 82, 71, 72, 53], // 0 1 0
    [95, 93, 92, 85, 85, 73, 92, 82, 80, 72, 70, 59, 84, 70, 71, 52, 50, 30], // 0 1 1
    [NONE, 86, NONE, 75, NONE, 52, NONE, 71, NONE, 52, NONE, 29, NONE, 63, NONE, 29, NONE, 17], // 0 1 2
    [98, 95, 94, 87, 91, 81, 94, 89, 86, 74, 77, 64, 87, 75, 74, 63, 63, 49], // 1 0 0
    [94, 89, 88, 77, 76, 67, 86, 76, 74, 58, 59, 50, 72, 57, 57, 52, 52, 25], // 1 0 1
    [NONE, 83, NONE, 70, NONE, 54, NONE, 65, NONE, 58, NONE, 26, NONE, 53, NONE, 21, NONE, 13], // 1 0 2
    [95, 90, 88, 76, 76, 70, 90, 77, 75, 62, 61, 53, 77, 66, 68, 59, 52, 30], // 1 1 0
    [89, 78, 76, 67, 62, 58, 74, 59, 57, 57, 47, 23, 61, 52, 57, 29, 24, 16], // 1 1 1
    [NONE, 71, NONE, 59, NONE, 30, NONE, 58, NONE, 26, NONE, 15, NONE, 23, NONE, 13, NONE, 6], // 1 1 2
    [93, 87, 86, 72, 75, 58, 86, 74, 74, 61, 56, 34, 70, 54, 52, 40, 40, 22], // 2 0 0
    [85, 75, 74, 55, 62, 51, 72, 57, 55, 41, 46, 19, 53, 36, 34, 19, 19, 8], // 2 0 1
    [NONE, 64, NONE, 51, NONE, 20, NONE, 47, NONE, 21, NONE, 11, NONE, 24, NONE, 9, NONE, 4], // 2 0 2
    [88, 75, 73, 53, 60, 50, 73, 55, 59, 40, 41, 20, 54, 43, 45, 22, 20, 11], // 2 1 0
    [75, 55, 58, 45, 40, 21, 61, 51, 48, 18, 20, 9, 46, 18, 17, 7, 8, 2], // 2 1 1
    [NONE, 53, NONE, 24, NONE, 14, NONE, 24, NONE, 12, NONE, 5, NONE, 10, NONE, 3, NONE, 1], // 2 1 2
];

/// A MacroVector: the levels of the equivalence sets EQ1 to EQ6, 0 the most severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MacroVector {
    pub(super) eq1: u8,
    pub(super) eq2: u8,
    pub(super) eq3: u8,
    pub(super) eq4: u8,
    pub(super) eq5: u8,
    pub(super) eq6: u8,
}

impl MacroVector {
    /// Its score; `None` when there is no such MacroVector.
    pub(super) fn score(self) -> Option<ScoreTenths> {
        if self.eq2 > 1 || self.eq3 > 2 || self.eq4 > 2 || self.eq5 > 2 || self.eq6 > 1 {
            return None;
        }
        let row = (self.eq1 * 2 + self.eq2) * 3 + self.eq3;
        let column = (self.eq4 * 3 + self.eq5) * 2 + self.eq6;
        let tenths = *TABLE.get(usize::from(row))?.get(usize::from(column))?;
        ScoreTenths::new(tenths)
    }
}
