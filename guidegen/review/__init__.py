"""The review page: a plan seen, corrected and approved in the browser."""
