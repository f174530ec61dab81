namespace Godwit.Runs;

/// <summary>Where a run is. Stored and shown by these names; <see cref="RunTransitions"/> says what may follow what.</summary>
public enum RunState
{
    /// <summary>Planned and stored, never begun.</summary>
    NotStarted,

    /// <summary>Its last checks before the first step.</summary>
    Starting,

    /// <summary>A last check refused it; nothing was changed.</summary>
    FailedAtStartup,

    /// <summary>Its steps are being done.</summary>
    Running,

    /// <summary>Held by a person; resumable.</summary>
    Paused,

    /// <summary>All is copied and verified; a person decides when the names change hands.</summary>
    AwaitingCutover,

    /// <summary>Done; it can be rolled back until the rollback window ends.</summary>
    Completed,

    /// <summary>A step failed; resumable, and can be rolled back.</summary>
    Failed,

    /// <summary>Its steps are being undone, newest first.</summary>
    RollingBack,

    /// <summary>Everything is as it was before.</summary>
    RolledBack,

    /// <summary>An outcome could not be established by asking the servers: a person must look.</summary>
    NeedsOperator,

    /// <summary>There was nothing to do.</summary>
    NotRequired,
}
