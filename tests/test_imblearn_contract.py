"""imbalanced-learn's own checks hold for `VAEOversampler`."""

from imblearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)

from vaesampler import VAEOversampler

DEFAULT = VAEOversampler(random_state=0)
FEW_STEPS = VAEOversampler(max_iter=20, random_state=0)


@parametrize_with_checks([DEFAULT, FEW_STEPS])
def test_imbalanced_learns_checks_pass(estimator, check):
    check(estimator)


def test_every_parameter_is_validated_with_a_message_that_names_it():
    check_param_validation("VAEOversampler", FEW_STEPS)


def test_column_names_are_kept_and_checked():
    check_dataframe_column_names_consistency("VAEOversampler", FEW_STEPS)
