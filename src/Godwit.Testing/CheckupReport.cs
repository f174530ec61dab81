namespace Godwit.Testing;

/// <summary>A check that found nothing wrong.</summary>
/// <param name="Migration">The migration's name.</param>
/// <param name="Moments">How many moments of the way forward there are at which a process can die.</param>
/// <param name="MomentsOfRollback">The same of the rollback after its end; 0 when the migration cannot be rolled back then.</param>
/// <param name="Trials">How often the world was made anew and the migration tried on it.</param>
public sealed record CheckupReport(string Migration, int Moments, int MomentsOfRollback, int Trials)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{Migration}: {Trials} trials, {Moments} moments on the way forward and {MomentsOfRollback} on the way back; nothing wrong.";
}
