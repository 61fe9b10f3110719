"""What a worker can be asked to do, by the request's kind."""

from bench.jobs.work.build import build, join, plan
from bench.jobs.work.describe import describe
from bench.jobs.work.discover import discover
from bench.jobs.work.portray import portray
from bench.jobs.work.predict import predict
from bench.jobs.work.prepare import prepare_oracle, prepare_view
from bench.jobs.work.score import score
from bench.jobs.work.survey import survey

KINDS = {
    "plan": plan,
    "build": build,
    "join": join,
    "describe": describe,
    "prepare_view": prepare_view,
    "prepare_oracle": prepare_oracle,
    "discover": discover,
    "predict": predict,
    "score": score,
    "survey": survey,
    "portray": portray,
}
