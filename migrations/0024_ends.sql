-- The end of what was kept longer than it has to be.
--
-- It only widens: a node of the version before goes on working beside it. The index `dead_letter_decided` is used again.


-- Answered requests whose slot had no partition stand in the default partition, and are deleted by age.
CREATE INDEX idempotency_key_default_by_slot ON idempotency_key_default (slot);

-- The shortest time that anybody keeps dead letters is asked for once a night: nothing younger is read.
CREATE INDEX environment_dead_letter_days ON environment (((retention ->> 'deadLetterRetentionDays')::integer))
    WHERE retention <> '{}';
CREATE INDEX environment_open_dead_letter_days ON environment (((retention ->> 'openDeadLetterRetentionDays')::integer))
    WHERE retention <> '{}';
CREATE INDEX application_dead_letter_days ON application (((retention ->> 'deadLetterRetentionDays')::integer))
    WHERE retention <> '{}';
CREATE INDEX application_open_dead_letter_days ON application (((retention ->> 'openDeadLetterRetentionDays')::integer))
    WHERE retention <> '{}';
