using Godwit.ClickHouse;

namespace Godwit.Operations;

/// <summary>What the steps of an operation share when they need nothing else.</summary>
/// <param name="Irreversible">Whether there is no way back from it.</param>
internal sealed record PlainSpec(bool Irreversible) : IOperationSpec
{
    QualifiedName? IOperationSpec.BrakedTable => null;

    bool IOperationSpec.CanRollBackAfterCompletion => !Irreversible;

    bool IOperationSpec.LeavesRetired => false;
}
