//! Words that open letters, sign articles and caption pictures. Nothing depends on
//! them alone: a language that is not here is judged by shape.

use crate::convert::text::marks;

const SALUTATIONS: &[&str] = &[
    "dear ",
    "hi ",
    "hi,",
    "hello ",
    "hello,",
    "hey ",
    "to whom it may concern",
    "good morning",
    "liebe ",
    "lieber ",
    "liebes ",
    "hallo ",
    "hallo,",
    "sehr geehrte",
    "guten tag",
    "moin",
    "cher ",
    "chère ",
    "chers ",
    "chères ",
    "bonjour",
    "salut ",
    "madame,",
    "monsieur,",
    "querid",
    "estimad",
    "hola ",
    "hola,",
    "caro ",
    "cara ",
    "cari ",
    "gentile ",
    "prezad",
    "beste ",
    "geachte ",
    "kära ",
    "kære ",
    "kjære ",
    "hej ",
    "drogi ",
    "droga ",
    "szanown",
    "уважаем",
    "дорог",
    "здравствуй",
    "привет",
    "шановн",
    "亲爱的",
    "親愛的",
    "尊敬的",
    "敬愛的",
    "拝啓",
    "前略",
    "您好",
    "你好",
    "안녕하세요",
    "친애하는",
    "존경하는",
    "عزيزي",
    "عزيزتي",
    "السلام عليكم",
    "السيد",
    "שלום",
    "לכבוד",
    "יקר",
    "เรียน",
    "ถึง",
    "สวัสดี",
    "sevgili",
    "sayın",
    "αγαπητ",
];

/// Whether a line opens a letter.
pub fn is_salutation(text: &str) -> bool {
    if marks::width(text) > 48 || marks::ending(text) == marks::Ending::Sentence && !is_loud(text) {
        return false;
    }
    let small = text.to_lowercase();
    SALUTATIONS.iter().any(|it| small.starts_with(it)) || small == "hi" || small == "hello"
}

fn is_loud(text: &str) -> bool {
    marks::last_mark(text).is_some_and(marks::is_loud)
}

const BYLINES: &[&str] = &[
    "by ",
    "von ",
    "par ",
    "por ",
    "di ",
    "de ",
    "door ",
    "av ",
    "af ",
    "автор",
    "от ",
    "text:",
    "author:",
    "autor:",
    "auteur :",
    "words by ",
    "written by ",
    "translated by ",
    "作者",
    "记者",
    "記者",
    "文／",
    "文/",
    "文：",
    "文:",
    "著者",
    "글 ",
    "글:",
    "기자",
    "بقلم",
    "كتب ",
    "מאת",
    "โดย ",
    "เรื่อง:",
];

/// Whether a line says who wrote the text: `By Ann Lee`.
pub fn is_byline(text: &str) -> bool {
    if marks::width(text) > 60 || marks::ending(text) != marks::Ending::Nothing {
        return false;
    }
    let small = text.to_lowercase();
    let Some(opening) = BYLINES.iter().find(|it| small.starts_with(**it)) else {
        return false;
    };
    // "Von Berlin nach Paris" names no author: names are spelled large, but for
    // the words that join them.
    let is_name = |it: &str| {
        !it.starts_with(char::is_lowercase)
            || matches!(
                it,
                "and"
                    | "und"
                    | "et"
                    | "y"
                    | "e"
                    | "en"
                    | "og"
                    | "och"
                    | "и"
                    | "von"
                    | "van"
                    | "de"
                    | "der"
            )
    };
    opening.ends_with([':', '：']) || text.split_whitespace().skip(1).take(8).all(is_name)
}

const CAPTIONS: &[&str] = &[
    "photo",
    "foto",
    "bild",
    "image",
    "picture",
    "credit",
    "图",
    "圖",
    "写真",
    "画像",
    "사진",
    "фото",
    "صورة",
    "תמונה",
    "ภาพ",
    "zdjęcie",
    "kuva",
];

/// Whether a line captions or credits a picture: `Photo: Ann Lee`.
pub fn is_caption(text: &str) -> bool {
    if text.len() > 600 {
        return false;
    }
    let Some((label, _)) = text.split_once(marks::is_colon) else {
        return false;
    };
    let label = label.trim().to_lowercase();
    label.len() <= 40 && CAPTIONS.iter().any(|it| label.starts_with(it))
}

/// Whether a short line is a place and date, or a date: at least two numbers, or
/// one of four digits beside a word, and no longer than a dateline.
pub fn is_dateline(text: &str) -> bool {
    if marks::width(text) > 48 {
        return false;
    }
    let numbers: Vec<usize> = text
        .split(|it: char| !it.is_numeric())
        .filter(|it| !it.is_empty())
        .map(|it| it.chars().count())
        .collect();
    let is_year = |it: &usize| *it == 4;
    match numbers.as_slice() {
        [first, second] | [first, second, _] => is_year(first) || is_year(second),
        _ => false,
    }
}

const KICKERS: &[&str] = &[
    "for immediate release",
    "press release",
    "news release",
    "media release",
    "embargoed",
    "pressemitteilung",
    "presseinformation",
    "medienmitteilung",
    "communiqué de presse",
    "comunicado de prensa",
    "nota de prensa",
    "comunicato stampa",
    "persbericht",
    "pressmeddelande",
    "пресс-релиз",
    "新闻稿",
    "新聞稿",
    "プレスリリース",
    "报道资料",
    "報道資料",
    "보도자료",
    "بيان صحفي",
    "הודעה לעיתונות",
    "ข่าวประชาสัมพันธ์",
];

/// Whether a line above the headline says what the text is: a press release.
pub fn is_kicker(text: &str) -> bool {
    if marks::width(text) > 60 {
        return false;
    }
    let small = text.to_lowercase();
    KICKERS.iter().any(|it| small.starts_with(it))
}

/// Words after which a hyphen at the end of a line hangs: `Ein- und Ausgang`.
pub fn joins_words(word: &str) -> bool {
    matches!(
        word,
        "und"
            | "oder"
            | "bzw"
            | "sowie"
            | "and"
            | "or"
            | "to"
            | "et"
            | "ou"
            | "y"
            | "o"
            | "e"
            | "en"
            | "of"
            | "och"
            | "og"
            | "eller"
            | "и"
            | "или"
            | "i"
            | "lub"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bylines() {
        let table = [
            ("By Ann Lee", true, ""),
            ("By Ann Lee and Ed Ott", true, "two"),
            ("Von Berlin nach Paris", false, "a headline"),
            ("Von Anna Weiß", true, ""),
            ("By the end of the day", false, "no name"),
            ("By then, all was lost.", false, "a sentence"),
            ("作者：王明", true, ""),
        ];
        for (text, expected, why) in table {
            assert_eq!(is_byline(text), expected, "{text:?}: {why}");
        }
    }

    #[test]
    fn datelines() {
        let table = [
            ("Berlin, 3. Mai 2024", true, ""),
            ("2024-05-03", true, "ISO"),
            ("3 May 2024, 10 am", true, "with an hour"),
            ("2024年5月3日", true, "Chinese"),
            ("World Cup 2024", false, "a headline with a year"),
            ("Seven Samurai", false, "no number"),
        ];
        for (text, expected, why) in table {
            assert_eq!(is_dateline(text), expected, "{text:?}: {why}");
        }
    }

    #[test]
    fn salutations() {
        let table = [
            ("Dear Anna,", true, ""),
            ("Уважаемый Иван Петрович!", true, "with a mark"),
            ("亲爱的小明：", true, ""),
            (
                "Dear America, we have to talk about what comes after all of this",
                false,
                "a headline",
            ),
            ("Hier ist es.", false, "a sentence"),
        ];
        for (text, expected, why) in table {
            assert_eq!(is_salutation(text), expected, "{text:?}: {why}");
        }
    }
}
