"""The mission, one phase a file: record, issue, dispatch, submit, track, publish, and the sweep."""
