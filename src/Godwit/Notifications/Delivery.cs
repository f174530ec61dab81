using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Godwit.Notifications;

/// <summary>How notifications are sent: how patiently, and over what.</summary>
internal sealed record Delivery
{
    /// <summary>How long one try may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The pauses before the tries after the first.</summary>
    public IReadOnlyList<TimeSpan> Pauses { get; init; } = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)];

    /// <summary>How long what is under way may still take when the process wants to end.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The environment.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>The proxy for webhooks; null for the one that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name.</summary>
    public IWebProxy? Proxy { get; init; }

    /// <summary>Whom to trust; null for the authorities of the system.</summary>
    public X509ChainPolicy? Trust { get; init; }

    /// <summary>Sends, and tries again while that may help.</summary>
    /// <exception cref="NotSentException">It did not arrive, as far as is known.</exception>
    public Task SendAsync(NotifyTarget target, Notification notification, TimeProvider clock, CancellationToken ct) =>
        AgainAsync(() => TryAsync(target, notification, clock, ct), clock, ct);

    /// <summary>Sends, and tries once.</summary>
    /// <exception cref="NotSentException">It did not arrive, as far as is known.</exception>
    public Task TryAsync(NotifyTarget target, Notification notification, TimeProvider clock, CancellationToken ct) => WithinAsync(
        token => Resolve(target) switch
        {
            HookTarget hook => HookSender.SendAsync(hook, notification, this, token),
            MailTarget mail => MailSender.SendAsync(mail, notification, this, token),
            _ => throw new NotSentException("holds the name of another place, not an address"),
        },
        clock,
        ct);

    /// <summary>Posts a document to an address, and tries again while that may help.</summary>
    /// <exception cref="NotSentException">It did not arrive, as far as is known.</exception>
    public Task PostAsync(NotifyTarget target, string json, TimeProvider clock, CancellationToken ct) => AgainAsync(
        () => WithinAsync(
            token => Resolve(target) is HookTarget { IsSlack: false } hook
                ? HookSender.PostAsync(hook, json, this, token)
                : throw new NotSentException("is no address of a webhook: write https://HOST/PATH"),
            clock,
            ct),
        clock,
        ct);

    private async Task AgainAsync(Func<Task> send, TimeProvider clock, CancellationToken ct)
    {
        foreach (var pause in Pauses)
        {
            try
            {
                await send();
                return;
            }
            catch (NotSentException e) when (e.IsTransient)
            {
                await Task.Delay(pause, clock, ct);
            }
        }

        await send();
    }

    private async Task WithinAsync(Func<CancellationToken, Task> send, TimeProvider clock, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await send(either.Token);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new NotSentException($"it did not answer within {Timeout.TotalSeconds:0.#} s", isTransient: true, e);
        }
    }

    private NotifyTarget Resolve(NotifyTarget target)
    {
        if (target is not ReferredTarget referred)
        {
            return target;
        }

        List<string> problems = [];
        return NotifyTargets.ReadOne(referred.Source.Read(Variable).Trim(), problems) ?? throw new NotSentException($"what it holds {string.Join(", and ", problems)}");
    }
}
