using Godwit.Plans;

namespace Godwit.Server.Tests.Access;

/// <summary>A plan to store; nothing runs it.</summary>
internal static class SomePlan
{
    public const string Table = "shop.overheard";

    public static Plan Of(string node) => new()
    {
        RunId = Guid.NewGuid().ToString("N")[..8],
        Migration = "rebuild",
        Tables = new[] { Table },
        Strategy = "block-log",
        Reasons = [],
        Operations = [new PlannedOperation { Kind = "rebuild", Description = "Rebuild", Shared = PlanFormat.ToElement(new { staging = "t_new" }) }],
        Steps = [new PlannedStep { Index = 0, Kind = "verify", Node = node, Description = "Look", Arguments = PlanFormat.ToElement(new { }) }],
    };
}
