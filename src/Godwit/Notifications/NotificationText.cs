using System.Globalization;

namespace Godwit.Notifications;

/// <summary>A notification in words.</summary>
internal static class NotificationText
{
    /// <summary>What happened, why, and what can be done; for a chat, and the beginning of a mail.</summary>
    public static string Of(Notification notification) =>
        string.Join('\n', new[] { notification.Message, notification.Problem, notification.Next }.Where(part => part is not null));

    /// <summary>All that is known, for a mail.</summary>
    public static string Long(Notification notification)
    {
        var facts = new (string Label, string? Value)[]
        {
            ("Run", notification.RunId),
            ("Migration", notification.Migration),
            ("Tables", notification.Tables.Count > 0 ? string.Join(", ", notification.Tables) : null),
            ("Server", notification.Instance),
            ("State", notification.State == notification.PreviousState ? $"{notification.State}" : $"{notification.State} (before: {notification.PreviousState})"),
            ("At", notification.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)),
        };
        var shown = notification.RunId is null ? facts[^1..] : facts;
        return $"{Of(notification)}\n\n{string.Join('\n', shown.Where(f => f.Value is not null).Select(f => $"{f.Label,-10} {ForeignText.Line(f.Value!, 1000)}"))}\n";
    }
}
