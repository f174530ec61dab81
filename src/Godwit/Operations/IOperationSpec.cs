using Godwit.ClickHouse;

namespace Godwit.Operations;

/// <summary>What the steps of one operation share; stored with the plan.</summary>
public interface IOperationSpec
{
    /// <summary>The table whose parts and disks the brakes look at; null when the operation is about none.</summary>
    QualifiedName? BrakedTable { get; }

    /// <summary>Whether a rollback after completion loses nothing.</summary>
    bool CanRollBackAfterCompletion { get; }

    /// <summary>Whether something is kept for such a rollback until the clean-up.</summary>
    bool LeavesRetired { get; }
}
