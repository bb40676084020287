from django.db import migrations

# A CHECK cannot look at the calendar. WHEN keeps ordinary visits, which are on lane 0, from the cost of a look.
FORWARDS = """
CREATE FUNCTION claim_lane() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM clinics_calendar WHERE id = NEW.calendar_id AND kind = 'clinician') THEN
        RAISE EXCEPTION 'only a clinician is overbooked: calendar % has no lane %', NEW.calendar_id, NEW.lane
            USING ERRCODE = 'check_violation', TABLE = 'scheduling_claim', CONSTRAINT = 'claim_lane';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER claim_lane BEFORE INSERT OR UPDATE OF calendar_id, lane ON scheduling_claim
    FOR EACH ROW WHEN (NEW.lane > 0) EXECUTE FUNCTION claim_lane();
"""
BACKWARDS = "DROP TRIGGER claim_lane ON scheduling_claim; DROP FUNCTION claim_lane()"


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0004_weekly_hours_set_by")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
