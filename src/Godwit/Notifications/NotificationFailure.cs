namespace Godwit.Notifications;

/// <summary>A notification that did not arrive. The run that it is about goes on as if it had.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Target">Where it was to go, without secrets.</param>
/// <param name="Message">One sentence.</param>
public sealed record NotificationFailure(string? RunId, string Target, string Message);

/// <summary>What came of a test notification.</summary>
/// <param name="Target">Where it was sent, without secrets.</param>
/// <param name="Problem">One sentence; null when it was taken.</param>
public sealed record NotificationTest(string Target, string? Problem);
