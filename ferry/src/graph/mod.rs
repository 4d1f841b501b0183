//! `ferry graph`: draws the isolation report. [`picture`] decides what is drawn, [`layout`] and [`route`]
//! where, [`svg`] and [`dot`] how. Nothing depends on a clock, on chance or on the machine, so the same files
//! give the same drawing, and a change of the files changes few of its lines.

mod dot;
mod escape;
mod layout;
mod picture;
mod route;
mod svg;

use crate::arguments::{Drawing, GraphArguments};
use crate::error::Error;
use crate::file;
use crate::output;
use ferry_description::Report;
use picture::Picture;
use std::fs;

/// Checks both files, and prints or stores the drawing.
pub(crate) fn graph(arguments: &GraphArguments) -> Result<(), Error> {
    let text = draw(&arguments.files.find()?.load(&[])?.report(), arguments.format);
    if let Some(path) = &arguments.output {
        fs::write(path, text).map_err(file::failed("write", path))?;
    } else {
        output::text(&text)?;
    }
    Ok(())
}

/// The drawing of a report.
pub(crate) fn draw(report: &Report, language: Drawing) -> String {
    let picture = Picture::of(report);
    match language {
        Drawing::Svg => svg::draw(&picture),
        Drawing::Dot => dot::draw(&picture),
    }
}
